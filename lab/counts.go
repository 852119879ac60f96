package lab

import (
	"time"

	"github.com/twinstart/twinstart/arm/counts"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/coldfs"
)

// counts returns the lab's counts of a cold start, or nil for a warm invocation.
func (r *report) counts() *counts.Line {
	if r.initRead == nil {
		return nil
	}
	c := &counts.Line{RequestID: r.requestID}
	c.InitReadKiB, c.InitReadChunks = kib(r.initRead)
	if u := r.initUsed; u != nil {
		c.InitCPUMs, c.InitPageFaults, c.InitMajorPageFaults = milliseconds(u.CPU), new(int(u.MinorFaults+u.MajorFaults)), new(int(u.MajorFaults))
	}
	if n := r.counted; n != nil {
		c.ManagedRuntime, c.PackageReadBy, c.InitWarmCPUMs = n.Managed, n.By, n.WarmCPUMs
		c.InitPackageReadErrorKiB, c.InitLibcReadKiB = &n.ErrorKiB, new(float64(n.LibcKiB))
		c.InitPackageReadKiB, c.InitPackageReadChunks = kib(&n.Package)
		c.InitBaseReadKiB, c.InitBaseReadChunks = kib(&n.Base)
	}
	if r.firstRead == nil {
		return c
	}
	c.FirstResponseReadKiB, c.FirstResponseReadChunks = kib(r.firstRead)
	if r.firstUsed != nil {
		c.FirstResponseCPUMs = milliseconds(r.firstUsed.CPU)
	}
	if n := r.counted; n != nil {
		c.FirstResponsePackageReadKiB, _ = kib(n.First)
		c.FirstResponseBaseReadKiB, c.FirstResponseBaseReadChunks = kib(n.BaseFirst)
	}
	return c
}

func kib(r *coldfs.Read) (kib *float64, chunks *int) {
	if r == nil {
		return nil, nil
	}
	return new(float64(r.KiB)), &r.Chunks
}

// milliseconds returns nil if CPU was not counted.
func milliseconds(d time.Duration) *float64 {
	if d == 0 {
		return nil
	}
	return new(precise(d))
}

// Counted holds counts of a package that were taken once, in starts made for this purpose, because measured starts
// cannot give them. The KiB of a single measured start depend on this machine's kernel and on the order in which
// threads ran. A measured start says nothing about the base, because the base's files are warm.
type Counted struct {
	By        string       // how the package's KiB were counted
	Package   coldfs.Read  // the package at GET /next, a mean
	ErrorKiB  float64      // standard error of Package.KiB
	First     *coldfs.Read // the package at the first response
	Base      coldfs.Read  // the base image's own files at GET /next
	LibcKiB   int          // the part of Base that is the C library and its loader
	BaseFirst *coldfs.Read // the base at the first response
	WarmCPUMs *float64     // CPU until GET /next with every page in memory
	Managed   string       // the managed runtime whose program the package starts, such as node; "" for native code
}

// Count returns what was counted for f, or nil if it is unknown.
type Count func(assembly.Function) *Counted
