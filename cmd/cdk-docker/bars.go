package main

import (
	"fmt"
	"io"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/twinstart/twinstart/packages/builder"
)

// bars shows one bar per layer that moves; lines go above them.
type bars struct {
	subject
	*mpb.Progress
}

func newBars(w io.Writer) *bars {
	return &bars{Progress: mpb.New(mpb.WithOutput(w), mpb.WithWidth(32))}
}

func (b *bars) Note(line string) { fmt.Fprintln(b.Progress, b.line(line)) }

func (b *bars) stop() { b.Wait() }

func (b *bars) Start(what string, bytes int64) builder.Task {
	bar := b.AddBar(max(bytes, 1),
		mpb.PrependDecorators(decor.Name(what, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string {
			return fmt.Sprintf("%s of %s ", bytesText(s.Current), bytesText(s.Total))
		}), decor.AverageETA(decor.ET_STYLE_GO)))
	return layerBar{bar}
}

type layerBar struct{ *mpb.Bar }

func (b layerBar) Add(bytes int64) { b.IncrInt64(bytes) }

func (b layerBar) Done(err error) {
	if err != nil {
		b.Abort(false)
		return
	}
	b.SetTotal(-1, true)
}
