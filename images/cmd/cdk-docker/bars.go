package main

import (
	"fmt"
	"io"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/twinstart/twinstart/images/builder"
)

// bars shows one bar per layer that moves; lines go above them.
type bars struct{ *mpb.Progress }

func newBars(w io.Writer) (builder.Progress, func()) {
	p := mpb.New(mpb.WithOutput(w), mpb.WithWidth(32))
	return bars{p}, p.Wait
}

func (b bars) Note(line string) { fmt.Fprintln(b.Progress, "cdk-docker: "+line) }

func (b bars) Start(what string, bytes int64) builder.Task {
	bar := b.AddBar(max(bytes, 1),
		mpb.PrependDecorators(decor.Name(what, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.CountersKiloByte("% .1f / % .1f"), decor.Name(" "), decor.AverageETA(decor.ET_STYLE_GO)))
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
