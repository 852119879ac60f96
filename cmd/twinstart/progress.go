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

// progress shows how far a run is: a bar on a terminal, a line every tenth elsewhere, so that a log stays readable.
type progress struct {
	out     io.Writer
	total   int
	seen    int
	started time.Time
	bars    *mpb.Progress // nil where out is no terminal
	bar     *mpb.Bar
	current string
}

func newProgress(out io.Writer, total int) *progress {
	p := &progress{out: out, total: total, started: time.Now()}
	if f, ok := out.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		p.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(48))
		p.bar = p.bars.AddBar(int64(total),
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return p.current }, decor.WC{W: 30, C: decor.DindentRight})),
			mpb.AppendDecorators(decor.CountersNoUnit("%d / %d "), decor.AverageETA(decor.ET_STYLE_GO)))
	}
	return p
}

// observe takes a record; the driver calls it one at a time.
func (p *progress) observe(r record.Record) {
	p.seen++
	if p.bar != nil {
		p.current = fmt.Sprintf("%s %s", r.Start, r.Arm)
		p.bar.Increment()
		return
	}
	if tenth := max(p.total/10, 1); p.seen%tenth == 0 {
		fmt.Fprintf(p.out, "measured %d of %d invocations in %s\n", p.seen, p.total, time.Since(p.started).Round(time.Second))
	}
}

// finish leaves the terminal in order, also after Ctrl-C.
func (p *progress) finish() {
	if p.bars == nil {
		return
	}
	if p.seen < p.total {
		p.bar.Abort(false)
	}
	p.bars.Wait()
}
