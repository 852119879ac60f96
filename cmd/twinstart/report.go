package main

import (
	"context"
	"errors"
	"fmt"
	goio "io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/price"
	"github.com/twinstart/twinstart/bench/show"
	"github.com/twinstart/twinstart/packages/archive"
)

// reportCommand renders records of earlier runs.
type reportCommand struct {
	analysisFlags
	Format     string   `default:"text" enum:"text,markdown,json,csv,html,all" help:"text, markdown, json, csv or html; all: each of them, in the folder that --out names."`
	Out        string   `placeholder:"FILE" help:"Where to write; standard output by default."`
	Phases     bool     `help:"Show what INIT and events consist of (text, markdown), where twinstart run --phases asked for it."`
	MixSources bool     `help:"Allow lab and AWS records side by side; they are compared with their own kind only."`
	Records    []string `arg:"" help:"Files of records, folders of runs, or - for standard input."`
}

// Run reads all records before it writes, so that a mistake does not damage an earlier report.
func (c *reportCommand) Run(ctx context.Context, io streams) error {
	if c.Format == "all" && c.Out == "" {
		return errors.New("--format all: name the folder for the files with --out")
	}
	o, err := c.options()
	if err != nil {
		return err
	}
	o.MixSources, o.Context = c.MixSources, ctx
	files, err := recordsOf(c.Records)
	if err != nil {
		return err
	}
	r, err := report.Files(files, os.Stdin, o)
	if err != nil {
		return err
	}
	if c.Phases && !r.HasPhases() {
		return errors.New("--phases: no record says when its bootstrap came to what: measure with twinstart run --phases, with arms of a bootstrap that times itself (rawsyscall)")
	}
	if c.Format == "all" {
		return writeReports(c.Out, r, c.Phases)
	}
	if c.Out != "" {
		return writeReport(c.Out, c.Format, r, c.Phases)
	}
	return c.print(io, c.Format, r, c.Phases)
}

// print writes a report to standard output. As text it writes the answers and the best arms only, unless asked for
// all.
func (f analysisFlags) print(io streams, format string, r *report.Report, phases bool) error {
	o := show.Options{Phases: phases, Brief: !f.Full && !phases, Width: columns(io.out)}
	if err := show.Write(io.out, format, r, o); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// columns returns the width of a terminal, or COLUMNS; 0 if unknown.
func columns(w goio.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return width
		}
	}
	return 0
}

// reportFiles are the reports that a run writes beside its records.
var reportFiles = map[string]string{"text": "report.txt", "markdown": "report.md", "json": "report.json", "csv": "report.csv", "html": "report.html"}

// renderRun writes the reports of a run beside its records and prints the text. It shows phases if the run asked for
// them.
func (f analysisFlags) renderRun(dir string, o report.Options, phases bool, io streams) (*report.Report, error) {
	r, err := report.Files([]string{filepath.Join(dir, recordsName)}, nil, o)
	if err != nil {
		return nil, err
	}
	if err := writeReports(dir, r, phases); err != nil {
		return nil, err
	}
	if err := f.print(io, "text", r, phases); err != nil {
		return nil, err
	}
	fmt.Fprintf(io.out, "\nFiles: %s/{report.html,report.txt,report.md,report.json,report.csv,%s,run.json}\n", dir, recordsName)
	return r, nil
}

// writeReports writes every form into a folder.
func writeReports(dir string, r *report.Report, phases bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder for reports: %w", err)
	}
	for format, name := range reportFiles {
		if err := writeReport(filepath.Join(dir, name), format, r, phases); err != nil {
			return err
		}
	}
	return nil
}

// writeReport replaces a file as a whole.
func writeReport(path, format string, r *report.Report, phases bool) error {
	return archive.Replace(path, 0o644, func(w goio.Writer) error { return show.Write(w, format, r, show.Options{Phases: phases}) })
}

func isTerminal(w goio.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// analysisFlags are the options of a report.
type analysisFlags struct {
	Full      bool     `group:"output" help:"Print all of the report, not the answers and the best arms alone."`
	Prices    string   `group:"output" placeholder:"FILE" help:"Prices in place of the built-in ones, in the form of bench/report/price/prices.json."`
	ColdShare string   `group:"output" placeholder:"SHARE" help:"Share of cold starts that costs are shown for; by default that of the records where they are of real traffic, else 1%."`
	Monthly   float64  `group:"output" placeholder:"N" help:"Invocations a month that the table of levers tells the cost of, a million by default."`
	Primary   string   `group:"output" default:"auto" enum:"auto,init,cold,wait,warm" help:"Clock of the primary claim, to be chosen before looking: init, cold, wait or warm; auto is init, or cold where arms are restored (SnapStart). The others are tested only where it tells arms apart."`
	Baseline  []string `group:"output" placeholder:"FILE" help:"Published figures of AWS to show beside the measured ones, labelled as such."`
}

func (f analysisFlags) options() (o report.Options, err error) {
	if f.ColdShare != "" {
		share, err := readShare("--cold-share", f.ColdShare)
		if err != nil {
			return o, err
		}
		if share > 1 {
			return o, fmt.Errorf("--cold-share %s: not all invocations, and no more, can be cold: want at most 100%%", f.ColdShare)
		}
		o.ColdShare = &share
	}
	if o.Monthly = f.Monthly; !(o.Monthly >= 0) {
		return o, fmt.Errorf("--monthly %v: want a number of invocations", f.Monthly)
	}
	if o.Primary = clocks[f.Primary]; f.Primary == "warm" {
		o.Primary = report.ClockWarm
	}
	if o.Prices, err = price.Load(f.Prices); err != nil {
		return o, err
	}
	for _, path := range f.Baseline {
		baselines, err := report.LoadBaselines(path)
		if err != nil {
			return o, err
		}
		o.Baselines = append(o.Baselines, baselines...)
	}
	return o, nil
}

// phase shows the progress of a part of a command: a bar on a terminal, else a line every few seconds, so that a log
// stays readable.
type phase struct {
	out     goio.Writer
	name    string
	total   int
	seen    int
	started time.Time
	told    time.Time
	work    float64       // of all steps, in units of a cold start
	done    float64       // the part of work that is done
	bars    *mpb.Progress // nil if out is not a terminal
	bar     *mpb.Bar
	current string
}

// tellEvery is the time between two lines in a log.
const tellEvery = 5 * time.Second

func newPhase(out goio.Writer, name string, total int) *phase {
	p := &phase{out: out, name: name, total: total, work: float64(total), started: time.Now(), told: time.Now()}
	if isTerminal(out) && total > 0 {
		p.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40))
		p.bar = p.bars.AddBar(int64(total), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return p.name + " " + p.current }, decor.WC{C: decor.DindentRight})),
			mpb.AppendDecorators(decor.CountersNoUnit("%d of %d"), decor.Any(func(decor.Statistics) string { return p.eta() })))
	}
	return p
}

// eta estimates the time left. It is "" before the first step.
func (p *phase) eta() string {
	if p.done == 0 {
		return ""
	}
	left := time.Duration(float64(time.Since(p.started)) * (p.work - p.done) / p.done)
	if left < time.Second {
		return ""
	}
	return ", about " + left.Round(time.Second).String() + " left"
}

// step counts one step; current names it.
func (p *phase) step(current string) { p.add(current, 1) }

// warmWork is the time of a warm invocation as a share of a cold start's, roughly.
const warmWork = 0.05

// observe counts a record.
func (p *phase) observe(r record.Record) {
	work := 1.0
	if r.Start == record.Warm {
		work = warmWork
	}
	p.add(fmt.Sprintf("%s %s", r.Start, r.Arm), work)
}

func (p *phase) add(current string, work float64) {
	p.seen, p.done = p.seen+1, p.done+work
	p.current = current
	if p.bar != nil {
		p.bar.Increment()
		return
	}
	if time.Since(p.told) >= tellEvery && p.seen < p.total {
		p.told = time.Now()
		fmt.Fprintf(p.out, "%s: %d of %d%s\n", p.name, p.seen, p.total, p.eta())
	}
}

// finish restores the terminal, also after Ctrl-C.
func (p *phase) finish() {
	if p.bars == nil {
		return
	}
	if p.seen < p.total {
		p.bar.Abort(true)
	}
	p.bars.Wait()
}
