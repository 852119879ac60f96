package main

import (
	"fmt"
	goio "io"
	"slices"

	"github.com/twinstart/twinstart/bench/report/model"
	"github.com/twinstart/twinstart/probe"
)

// writePrediction writes one package for people.
func writePrediction(w goio.Writer, p *predicted) {
	r := p.Measured
	how := "counted in the page cache, cold by " + r.ColdBy
	if r.CountedBy == probe.Computed {
		how = "computed from the order of first touches"
	}
	if r.Emulated {
		how += ", under qemu-user"
	}
	fmt.Fprintf(w, "%s: %s of %.2f MB for %s\n", r.Name, r.Kind, float64(r.Bytes)/(1<<20), r.Architecture)
	fmt.Fprintf(w, "  KiB read (%s)      at GET /next          at the first response\n", how)
	for _, reads := range r.Reads {
		first := "none"
		if reads.First != nil {
			first = counted(*reads.First)
		}
		fmt.Fprintf(w, "    read-ahead %-4d %s  %s\n", reads.ReadAheadKiB, counted(reads.Next), first)
	}
	if r.CPU != nil {
		fmt.Fprintf(w, "  CPU to GET /next %.1f ms (warm, of this machine), page faults of the cold start %d minor, %d major\n", r.CPU.InitMs, r.CPU.MinorFaults, r.CPU.MajorFaults)
	}
	if r.UPX != nil {
		fmt.Fprintf(w, "  packed by UPX: all of the file is read and unpacked into memory before main; %.2f MB unpacked\n", float64(r.UPX.UnpackedBytes)/(1<<20))
	}
	if r.FirstFailure != "" {
		fmt.Fprintf(w, "  no first response: %s\n", r.FirstFailure)
	}
	notes := r.Warnings
	if p.Prediction == nil {
		fmt.Fprintf(w, "  On AWS %s\n", p.NotPredicted)
	} else {
		writeForecast(w, p)
		notes = slices.Concat(p.Prediction.Notes, r.Warnings)
	}
	for _, note := range notes {
		fmt.Fprintf(w, "  note: %s\n", note)
	}
}

// counted is a pair of figures: the package's own and the base's.
func counted(c probe.Count) string {
	text := fmt.Sprintf("%d in %d chunks", c.PackageKiB, c.PackageChunks)
	switch {
	case !c.BaseCounted:
		text += " + base ?"
	case c.BaseKiB > 0:
		text += fmt.Sprintf(" + base %d (libc %d)", c.BaseKiB, c.LibcKiB)
	}
	return fmt.Sprintf("%-36s", text)
}

func writeForecast(w goio.Writer, p *predicted) {
	f := p.Prediction
	fmt.Fprintf(w, "  Predicted on AWS [%.0f %% interval], not measured there; calibration: %s\n", f.Confidence*100, f.Calibration)
	fmt.Fprintf(w, "    %-34s %-28s %s\n", "", "as ZIP", "as image")
	row := func(name string, zip, image *model.Estimate, unit string) {
		if zip == nil {
			return
		}
		fmt.Fprintf(w, "    %-34s %-28s %s\n", name, estimate(zip, unit), estimate(image, unit))
	}
	row("Init Duration", &f.ZipInit, f.ImageInit, "ms")
	row("cold total (INIT + first Duration)", f.ZipTotal, f.ImageTotal, "ms")
	if c := p.Cost; c != nil {
		row(fmt.Sprintf("USD/M cold starts at %d MB", c.MemorySizeMB), &c.Zip, c.Image, "USD")
	}
	verdict := map[string]string{"zip": "by Init Duration the ZIP wins", "image": "by Init Duration the image wins"}[f.Winner]
	if verdict == "" {
		verdict = "by Init Duration it is not known whether ZIP or image wins"
	}
	if f.CrossMs != nil {
		verdict += fmt.Sprintf("; the lines cross at %.1f ms, on 90 of 100 days between %.1f and %.1f", *f.CrossMs, f.CrossDays[0], f.CrossDays[1])
		if f.CrossKiB != nil {
			verdict += fmt.Sprintf(", %.0f KiB read", *f.CrossKiB)
		}
	}
	fmt.Fprintf(w, "    %s\n", verdict)
	fmt.Fprintln(w, "    before INIT (download, unpacking, placement: where a ZIP's size shows) is not modelled, nor are missed image caches")
	if f.Extrapolated != "" {
		fmt.Fprintf(w, "  EXTRAPOLATED: %s\n", f.Extrapolated)
	}
	if f.Borrowed != "" {
		fmt.Fprintf(w, "  BORROWED: the ZIP line is %s's\n", f.Borrowed)
	}
}

func estimate(e *model.Estimate, unit string) string {
	if e == nil {
		return "-"
	}
	digits := 1
	if unit == "USD" {
		digits = 2
	}
	if !e.Known() {
		return fmt.Sprintf("not known: %.*f to %.*f %s", digits, e.Low, digits, e.High, unit)
	}
	return fmt.Sprintf("%.*f %s [%.*f, %.*f]", digits, e.Ms, unit, digits, e.Low, digits, e.High)
}
