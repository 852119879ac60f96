package lab

import (
	"time"

	"github.com/twinstart/twinstart/arm/counts"
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
