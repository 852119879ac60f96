package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/probe"
)

// baseCounter counts what packages read of their base's files, and the CPU they take, at starts that are not measured: predictions
// need both. Where it cannot be counted predictions are made without, and a warning says so.
type baseCounter struct {
	ctx     context.Context
	io      streams
	options probe.Options

	mu     sync.Mutex // one package at a time, or they would count each other
	prober *probe.Prober
	warned map[string]bool
}

func newBaseCounter(ctx context.Context, flags labFlags, event []byte, io streams) *baseCounter {
	return &baseCounter{ctx: ctx, io: io, warned: map[string]bool{},
		options: probe.Options{BaseRoot: flags.BaseRoot, Event: event, Rounds: 1, ReadAheads: []int{flags.ReadAhead}}}
}

func (b *baseCounter) close() {
	if b.prober != nil {
		b.prober.Close()
	}
}

// count is a lab.CountBase.
func (b *baseCounter) count(f assembly.Function) *lab.BaseRead {
	b.mu.Lock()
	defer b.mu.Unlock()
	read, err := b.measure(f)
	if err != nil && b.ctx.Err() == nil && !b.warned[err.Error()] { // what the machine lacks it lacks for every arm
		b.warned[err.Error()] = true
		fmt.Fprintf(b.io.err, "warning: %s: what it reads of its base, and its CPU, are not counted: %v\n", f.Identity.Arm, err)
	}
	return read
}

func (b *baseCounter) measure(f assembly.Function) (*lab.BaseRead, error) {
	pkg, err := probe.Of(f)
	if err != nil {
		return nil, err
	}
	if b.prober == nil {
		if b.prober, err = probe.New(b.options); err != nil {
			return nil, err
		}
	}
	r, err := b.prober.Measure(b.ctx, pkg)
	if err != nil {
		return nil, err
	}
	reads := r.Reads[0]
	if !reads.Next.BaseCounted {
		return nil, fmt.Errorf("cold by %s only", r.ColdBy)
	}
	read := &lab.BaseRead{Init: coldfs.Read{KiB: reads.Next.BaseKiB, Chunks: reads.Next.BaseChunks}, LibcKiB: reads.Next.LibcKiB}
	if reads.First != nil {
		read.First = &coldfs.Read{KiB: reads.First.BaseKiB, Chunks: reads.First.BaseChunks}
	}
	if r.CPU != nil {
		read.WarmCPUMs = &r.CPU.InitMs
	}
	return read, nil
}
