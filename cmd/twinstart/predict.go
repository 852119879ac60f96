package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/twinstart/twinstart/bench/report/compare"
	"github.com/twinstart/twinstart/bench/report/model"
	"github.com/twinstart/twinstart/bench/show/table"
	"github.com/twinstart/twinstart/probe"
	"github.com/twinstart/twinstart/probe/explain"
)

// predictCommand predicts cold starts on AWS of packages that were never deployed.
type predictCommand struct {
	probeFlags
	Model    string               `placeholder:"FILE"`
	Format   string               `default:"text" enum:"text,json"`
	Against  string               `placeholder:"PATH"`
	FailOn   []compare.Expression `sep:"," placeholder:"EXPR"`
	Packages []string             `arg:"" name:"path|arm"`
}

// Run measures each package and predicts.
func (c *predictCommand) Run(ctx context.Context, std streams) error {
	calibration, err := model.Load(c.Model)
	if err != nil {
		return err
	}
	for _, e := range c.FailOn {
		if _, known := guarded[e.Metric]; !known || e.Arms != "" || e.Quantile != 0.5 {
			return fmt.Errorf("--fail-on %q: want METRIC>AMOUNT, such as initReadKiB>2%%, init>1ms or package>100KiB", e.Text)
		}
	}
	args := c.Packages
	if c.Against != "" {
		args = append(slices.Clone(args), c.Against)
	} else if len(c.FailOn) > 0 {
		return errors.New("--fail-on needs --against: name the package with which the others are compared")
	}
	all := []predicted{}
	fit := func(packages []*probe.Package) error { return sameArchitecture(packages, c.Against != "", std) }
	each := func(pkg *probe.Package, r *probe.Result, files []*explain.Explanation) error {
		one, _, err := predict(calibration, pkg, r, files)
		if err == nil {
			all = append(all, one)
		}
		return err
	}
	failure := c.measure(ctx, args, fit, std, each)
	switch {
	case len(all) == 0:
	case c.Format == "json":
		err = table.JSON(std.out, struct {
			Schema      int         `json:"schema"`
			Predictions []predicted `json:"predictions"`
		}{1, all})
	case len(all) == 1:
		writePrediction(std.out, &all[0], columns(std.out))
	default:
		writeRanking(std.out, all, c.Against != "" && len(all) == len(args), columns(std.out))
	}
	switch {
	case err != nil:
		return fmt.Errorf("writing predictions: %w", err)
	case failure != nil || len(c.FailOn) == 0:
		return failure
	case len(all) != len(args):
		return errors.New("--against compares single packages: give each flag such as --memory or --env one value")
	}
	return check(c.FailOn, all, std)
}

// writeRanking writes a table of packages, the fastest first, each with its ratio to the first, or to the one that
// --against named.
func writeRanking(out io.Writer, all []predicted, against bool, width int) {
	ranked := slices.Clone(all)
	rest, to := ranked, "the first"
	if against {
		ranked = append(ranked[len(all)-1:], ranked[:len(all)-1]...)
		rest, to = ranked[1:], ranked[0].Measured.Name
	}
	slices.SortStableFunc(rest, func(a, b predicted) int { return cmp.Compare(a.init(), b.init()) })
	t := table.Table{Heads: table.Heads(1, "package", "KiB read", "KiB packed", "INIT on AWS as ZIP, predicted",
		"as image", "against "+to)}
	first := ranked[0].Prediction
	for i := range ranked {
		p := &ranked[i]
		name, zip, image, ratio := p.Measured.Name, "not predicted", table.None, table.None
		if i == 0 && against {
			name = "against " + name
		}
		if f := p.Prediction; f != nil {
			zip, image = estimate(&f.ZipInit, "ms"), estimate(f.ImageInit, "ms")
		}
		if f := p.Prediction; f != nil && first != nil {
			ratio = fmt.Sprintf("%.2fx", f.ZipInit.Ms/first.ZipInit.Ms)
			if i > 0 && f.ZipInit.Low <= first.ZipInit.High && first.ZipInit.Low <= f.ZipInit.High {
				ratio += ", not told apart"
			}
		}
		read, packed := guarded["initReadKiB"].of(p), guarded["package"].of(p)
		t.Add(name, fmt.Sprintf("%.0f", read), fmt.Sprintf("%.0f", packed), zip, image, ratio)
	}
	t.Heads[5].Left = true
	fmt.Fprint(out, t.Text(width))
}

// guarded are the figures of a prediction for --fail-on, with units and decimals.
var guarded = map[string]struct {
	unit   string
	digits int
	of     func(*predicted) float64
}{
	"initReadKiB": {"KiB", 0, func(p *predicted) float64 { return float64(p.Measured.Reads[0].Next.PackageKiB) }},
	"init":        {"ms", 1, (*predicted).init},
	"package":     {"KiB", 0, func(p *predicted) float64 { return float64(p.Measured.Bytes) / 1024 }},
}

// init returns the predicted INIT as ZIP in ms, or infinity if there is no prediction.
func (p *predicted) init() float64 {
	if p.Prediction == nil {
		return math.Inf(1)
	}
	return p.Prediction.ZipInit.Ms
}

// check compares all packages with the last one, which --against named.
func check(guards []compare.Expression, all []predicted, std streams) (err error) {
	last := len(all) - 1
	for i := range all[:last] {
		for _, g := range guards {
			metric, now := guarded[g.Metric], &all[i]
			was, is := metric.of(&all[last]), metric.of(now)
			limit := was + g.Limit
			if g.Relative {
				limit = was * (1 + g.Limit)
			}
			text := fmt.Sprintf("%s: %s %.*f -> %.*f %s (limit %s)", now.Measured.Name, g.Metric, metric.digits, was,
				metric.digits, is, metric.unit, g.Text)
			if math.IsInf(was+is, 1) {
				text = fmt.Sprintf("%s: %s cannot be checked: there is no prediction", now.Measured.Name, g.Metric)
			}
			if is <= limit && !math.IsInf(limit, 1) {
				fmt.Fprintln(std.out, text+": holds")
				continue
			}
			err = errFinding
			fmt.Fprintln(std.err, "twinstart: failed:", text)
		}
	}
	return err
}

// sameArchitecture returns an error if guarded packages have two architectures. In a table it prints a warning.
func sameArchitecture(packages []*probe.Package, guarded bool, std streams) error {
	last := packages[len(packages)-1]
	i := slices.IndexFunc(packages, func(p *probe.Package) bool { return p.Architecture != last.Architecture })
	if i < 0 {
		return nil
	}
	text := fmt.Sprintf("%s is for %s, %s for %s: build both for one architecture", packages[i].Name,
		packages[i].Architecture, last.Name, last.Architecture)
	if guarded {
		return errors.New(text)
	}
	std.warn(text)
	return nil
}

// writePrediction writes one package for people: the prediction and its reasons in sentences, then the figures.
func writePrediction(w io.Writer, p *predicted, width int) {
	r := p.Measured
	lead := "on AWS " + p.NotPredicted
	if f := p.Prediction; f != nil {
		lead = fmt.Sprintf("%s on AWS as ZIP, %s as image, predicted and not measured: %s",
			estimate(&f.ZipInit, "ms"), estimate(f.ImageInit, "ms"),
			cmp.Or(winners[f.Winner], "ZIP or image is too close to call"))
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
	title := fmt.Sprintf("%s of %.2f MB for %s: KiB read (%s)", r.Kind, float64(r.Bytes)/(1<<20), r.Architecture, how)
	reads := table.Table{Title: title, Heads: table.Heads(3, "read-ahead", "at GET /next", "at the first response")}
	for _, read := range r.Reads {
		first := "none"
		if read.First != nil {
			first = counted(*read.First)
		}
		reads.Add(fmt.Sprint(read.ReadAheadKiB), counted(read.Next), first)
	}
	var notes []string
	if r.CPU != nil {
		notes = append(notes, fmt.Sprintf("CPU until GET /next %.1f ms (warm, on this machine); page faults of the cold "+
			"start: %d minor, %d major", r.CPU.InitMs, r.CPU.MinorFaults, r.CPU.MajorFaults))
	}
	if r.UPX != nil {
		notes = append(notes, fmt.Sprintf("packed by UPX: the whole file is read and unpacked into memory before main; "+
			"%.2f MB unpacked", float64(r.UPX.UnpackedBytes)/(1<<20)))
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

var winners = map[string]string{"zip": "the ZIP is faster", "image": "the image is faster"}

func forecastTable(p *predicted) table.Table {
	f := p.Prediction
	title := fmt.Sprintf("Predicted on AWS [%.0f %% interval], not measured there; calibration: %s", f.Confidence*100,
		f.Calibration)
	t := table.Table{Title: title, Heads: table.Heads(3, "", "as ZIP", "as image")}
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

// crossing says where ZIP and image take the same time, and what the prediction leaves out.
func crossing(f *model.Prediction) (out []string) {
	if f.CrossMs != nil {
		kib := ""
		if f.CrossKiB != nil {
			kib = fmt.Sprintf(", %.0f KiB read", *f.CrossKiB)
		}
		out = append(out, fmt.Sprintf("the lines of ZIP and image cross at %.1f ms, on 90 of 100 days between %.1f and "+
			"%.1f%s", *f.CrossMs, f.CrossDays[0], f.CrossDays[1], kib))
	}
	out = append(out, "not modelled: the time before INIT (download, unpacking, placement; it grows with a ZIP's size) "+
		"and misses of the image caches")
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
	return e.Text(map[string]int{"ms": 1, "USD": 2}[unit], " "+unit)
}
