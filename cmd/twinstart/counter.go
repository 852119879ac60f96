package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/probe"
)

// packageCounter counts what packages read, of their own files and of their base's, and the CPU they take, at starts that are not
// measured: predictions and comparisons need it. Where it cannot be counted they are made from measured starts, and a warning says so.
type packageCounter struct {
	ctx     context.Context
	io      streams
	options probe.Options

	mu     sync.Mutex // one package at a time, or they would count each other
	prober *probe.Prober
	warned map[string]bool
}

func newPackageCounter(ctx context.Context, flags labFlags, event []byte, io streams) *packageCounter {
	return &packageCounter{ctx: ctx, io: io, warned: map[string]bool{},
		options: probe.Options{BaseRoot: flags.BaseRoot, Event: event, ReadAheads: []int{flags.ReadAhead}}}
}

func (c *packageCounter) close() {
	if c.prober != nil {
		c.prober.Close()
	}
}

// count is a lab.Count.
func (c *packageCounter) count(f assembly.Function) *lab.Counted {
	c.mu.Lock()
	defer c.mu.Unlock()
	read, err := c.measure(f)
	if err != nil && c.ctx.Err() == nil && !c.warned[err.Error()] { // what the machine lacks it lacks for every arm
		c.warned[err.Error()] = true
		fmt.Fprintf(c.io.err, "warning: %s: what it reads, and its CPU, are not counted at starts of their own: %v\n", f.Identity.Arm, err)
	}
	return read
}

func (c *packageCounter) measure(f assembly.Function) (*lab.Counted, error) {
	pkg, err := probe.Of(f)
	if err != nil {
		return nil, err
	}
	if c.prober == nil {
		if c.prober, err = probe.New(c.options); err != nil {
			return nil, err
		}
	}
	r, err := c.prober.Measure(c.ctx, pkg)
	if err != nil {
		return nil, err
	}
	reads := r.Reads[0]
	if !reads.Next.BaseCounted {
		return nil, fmt.Errorf("cold by %s only", r.ColdBy)
	}
	counted := &lab.Counted{By: string(r.CountedBy), Package: coldfs.Read{KiB: reads.Next.PackageKiB, Chunks: reads.Next.PackageChunks}, ErrorKiB: reads.ErrorKiB,
		Base: coldfs.Read{KiB: reads.Next.BaseKiB, Chunks: reads.Next.BaseChunks}, LibcKiB: reads.Next.LibcKiB}
	if f := reads.First; f != nil {
		counted.First = &coldfs.Read{KiB: f.PackageKiB, Chunks: f.PackageChunks}
		counted.BaseFirst = &coldfs.Read{KiB: f.BaseKiB, Chunks: f.BaseChunks}
	}
	if r.CPU != nil {
		counted.WarmCPUMs = &r.CPU.InitMs
	}
	return counted, nil
}
