package main

import (
	"fmt"
	goio "io"

	"github.com/twinstart/twinstart/bench/report/model"
	"github.com/twinstart/twinstart/bench/show/table"
	"github.com/twinstart/twinstart/probe"
)

// writePrediction writes one package for people: the prediction and its reasons in sentences, then the figures.
func writePrediction(w goio.Writer, p *predicted, width int) {
	r := p.Measured
	lead := "on AWS " + p.NotPredicted
	if f := p.Prediction; f != nil {
		lead = fmt.Sprintf("%s on AWS as ZIP, %s as image, predicted and not measured: %s", estimate(&f.ZipInit, "ms"), estimate(f.ImageInit, "ms"), winner(f))
	}
	fmt.Fprint(w, table.Wrap(width, "", r.Name+": "+lead))
	writeAdvice(w, p.Advice, width)
	how := "counted in the page cache, cold by " + r.ColdBy
	if r.CountedBy == probe.Computed {
		how = "computed from the order of first touches"
	}
	if r.Emulated {
		how += ", under qemu-user"
	}
	reads := table.Table{Title: fmt.Sprintf("%s of %.2f MB for %s: KiB read (%s)", r.Kind, float64(r.Bytes)/(1<<20), r.Architecture, how),
		Heads: table.Heads(3, "read-ahead", "at GET /next", "at the first response")}
	for _, read := range r.Reads {
		first := "none"
		if read.First != nil {
			first = counted(*read.First)
		}
		reads.Add(fmt.Sprint(read.ReadAheadKiB), counted(read.Next), first)
	}
	var notes []string
	if r.CPU != nil {
		notes = append(notes, fmt.Sprintf("CPU to GET /next %.1f ms (warm, of this machine), page faults of the cold start %d minor, %d major", r.CPU.InitMs, r.CPU.MinorFaults, r.CPU.MajorFaults))
	}
	if r.UPX != nil {
		notes = append(notes, fmt.Sprintf("packed by UPX: all of the file is read and unpacked into memory before main; %.2f MB unpacked", float64(r.UPX.UnpackedBytes)/(1<<20)))
	}
	if r.FirstFailure != "" {
		notes = append(notes, "no first response: "+r.FirstFailure)
	}
	tables := []table.Table{reads}
	if f := p.Prediction; f != nil {
		tables = append(tables, forecastTable(p))
		notes = append(append(notes, crossing(f)...), f.Notes...)
	}
	for _, t := range tables {
		fmt.Fprint(w, t.Text(width))
	}
	for _, note := range append(notes, r.Warnings...) {
		fmt.Fprint(w, table.Wrap(width, "  - ", note))
	}
}

// counted formats the KiB of the package and of the base.
func counted(c probe.Count) string {
	text := fmt.Sprintf("%d in %d chunks", c.PackageKiB, c.PackageChunks)
	switch {
	case !c.BaseCounted:
		text += " + base ?"
	case c.BaseKiB > 0:
		text += fmt.Sprintf(" + base %d (libc %d)", c.BaseKiB, c.LibcKiB)
	}
	return text
}

func forecastTable(p *predicted) table.Table {
	f := p.Prediction
	t := table.Table{Title: fmt.Sprintf("Predicted on AWS [%.0f %% interval], not measured there; calibration: %s", f.Confidence*100, f.Calibration), Heads: table.Heads(3, "", "as ZIP", "as image")}
	row := func(name string, zip, image *model.Estimate, unit string) {
		if zip != nil {
			t.Add(name, estimate(zip, unit), estimate(image, unit))
		}
	}
	row("Init Duration", &f.ZipInit, f.ImageInit, "ms")
	row("cold total (INIT + first Duration)", f.ZipTotal, f.ImageTotal, "ms")
	if c := p.Cost; c != nil {
		row(fmt.Sprintf("USD/M cold starts at %d MB", c.MemorySizeMB), &c.Zip, c.Image, "USD")
	}
	return t
}

func winner(f *model.Prediction) string {
	switch f.Winner {
	case "zip":
		return "the ZIP is faster"
	case "image":
		return "the image is faster"
	}
	return "ZIP or image is too close to call"
}

// crossing says where ZIP and image take the same time, and what the prediction leaves out.
func crossing(f *model.Prediction) (out []string) {
	if f.CrossMs != nil {
		kib := ""
		if f.CrossKiB != nil {
			kib = fmt.Sprintf(", %.0f KiB read", *f.CrossKiB)
		}
		out = append(out, fmt.Sprintf("the lines of ZIP and image cross at %.1f ms, on 90 of 100 days between %.1f and %.1f%s", *f.CrossMs, f.CrossDays[0], f.CrossDays[1], kib))
	}
	out = append(out, "before INIT (download, unpacking, placement: where a ZIP's size shows) is not modelled, nor are missed image caches")
	if f.Extrapolated != "" {
		out = append(out, "EXTRAPOLATED: "+f.Extrapolated)
	}
	if f.Borrowed != "" {
		out = append(out, "BORROWED: the ZIP line is "+f.Borrowed+"'s")
	}
	return out
}

func estimate(e *model.Estimate, unit string) string {
	if e == nil {
		return "-"
	}
	digits := 1
	if unit == "USD" {
		digits = 2
	}
	return e.Text(digits, " "+unit)
}
