package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/twinstart/twinstart/bench/record"
)

// phase shows the progress of a part of a command: a bar on a terminal, else a line every few seconds, so that a log
// stays readable.
type phase struct {
	out     io.Writer
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

func newPhase(out io.Writer, name string, total int) *phase {
	p := &phase{out: out, name: name, total: total, work: float64(total), started: time.Now(), told: time.Now()}
	if isTerminal(out) && total > 0 {
		p.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40))
		what := func(decor.Statistics) string { return p.name + " " + p.current }
		left := func(decor.Statistics) string { return p.eta() }
		p.bar = p.bars.AddBar(int64(total), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Any(what, decor.WC{C: decor.DindentRight})),
			mpb.AppendDecorators(decor.CountersNoUnit("%d of %d"), decor.Any(left)))
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

// warmWork is roughly the time of a warm invocation as a share of a cold start's time.
const warmWork = 0.05

func (p *phase) observe(r record.Record) {
	work := 1.0
	if r.Start == record.Warm {
		work = warmWork
	}
	p.add(fmt.Sprintf("%s %s", r.Start, r.Arm), work)
}

// add counts a step and its work. current names the step.
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

func isTerminal(w io.Writer) bool {
	return term.IsTerminal(int(fileOf(w).Fd()))
}

// fileOf returns the file that a stream writes to, or nil, whose descriptor is -1.
func fileOf(w io.Writer) *os.File {
	if o, ok := w.(*output); ok {
		w = o.Writer
	}
	f, _ := w.(*os.File)
	return f
}
