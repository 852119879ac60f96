package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/twinstart/twinstart/bench/record"
)

// phase shows how far a part of a command is, and which part it is: a bar on a terminal; elsewhere a line every few seconds, so that a log
// stays readable. Its clock starts with it.
type phase struct {
	out     io.Writer
	name    string
	total   int
	seen    int
	started time.Time
	told    time.Time
	left    func() time.Duration // how long the rest takes; nil is in proportion
	bars    *mpb.Progress        // nil where out is no terminal
	bar     *mpb.Bar
	current string
}

// tellEvery is how long a log waits for the next line.
const tellEvery = 5 * time.Second

func newPhase(out io.Writer, name string, total int) *phase {
	p := &phase{out: out, name: name, total: total, started: time.Now(), told: time.Now()}
	if f, ok := out.(*os.File); ok && isatty.IsTerminal(f.Fd()) && total > 0 {
		p.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40))
		p.bar = p.bars.AddBar(int64(total), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return p.name + " " + p.current }, decor.WC{C: decor.DindentRight})),
			mpb.AppendDecorators(decor.CountersNoUnit("%d of %d"), decor.Any(func(decor.Statistics) string { return p.eta() })))
	}
	return p
}

// eta is a guess, and "" before there is anything to make it of.
func (p *phase) eta() string {
	left := time.Duration(0)
	switch {
	case p.left != nil:
		left = p.left()
	case p.seen > 0:
		left = time.Since(p.started) / time.Duration(p.seen) * time.Duration(p.total-p.seen)
	}
	if left < time.Second {
		return ""
	}
	return ", about " + left.Round(time.Second).String() + " left"
}

// step counts one; current is what it was.
func (p *phase) step(current string) {
	p.seen++
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

// finish leaves the terminal in order, also after Ctrl-C.
func (p *phase) finish() {
	if p.bars == nil {
		return
	}
	if p.seen < p.total {
		p.bar.Abort(true)
	}
	p.bars.Wait()
}

// progress shows how far a run is: cold starts, then warm invocations, which take a small part of the time each.
type progress struct {
	*phase
	cold, warm         int // still to come
	coldTook, warmTook time.Duration
	colds, warms       int
	last               time.Time
}

// warmShare is what a warm invocation takes of a cold start's time, until some were seen.
const warmShare = 0.05

// newProgress plans for a number of records, of which some are warm invocations.
func newProgress(out io.Writer, total, warm int) *progress {
	p := &progress{phase: newPhase(out, "measuring", total), cold: total - warm, warm: warm, last: time.Now()}
	p.left = p.rest
	return p
}

func (p *progress) rest() time.Duration {
	if p.colds == 0 {
		return 0
	}
	perCold := p.coldTook / time.Duration(p.colds)
	perWarm := time.Duration(float64(perCold) * warmShare)
	if p.warms > 0 {
		perWarm = p.warmTook / time.Duration(p.warms)
	}
	return max(0, time.Duration(p.cold)*perCold) + max(0, time.Duration(p.warm)*perWarm)
}

// observe takes a record; the driver calls it one at a time.
func (p *progress) observe(r record.Record) {
	took := time.Since(p.last)
	p.last = time.Now()
	if r.Start == record.Warm {
		p.warm, p.warms, p.warmTook = p.warm-1, p.warms+1, p.warmTook+took
	} else {
		p.cold, p.colds, p.coldTook = p.cold-1, p.colds+1, p.coldTook+took
	}
	p.step(fmt.Sprintf("%s %s", r.Start, r.Arm))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
