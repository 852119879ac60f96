package lab

import (
	"time"

	"github.com/twinstart/twinstart/arm/counts"
	"github.com/twinstart/twinstart/lab/assembly"
)

// counts returns the lab's counts of a cold start, or nil for a warm invocation.
func (r *report) counts() *counts.Line {
	if r.initRead == nil {
		return nil
	}
	c := &counts.Line{RequestID: r.requestID}
	if r.counted != nil {
		c.Counts = *r.counted
	}
	c.InitReadKiB, c.InitReadChunks = new(float64(r.initRead.KiB)), &r.initRead.Chunks
	if u := r.initUsed; u != nil {
		c.InitCPUMs, c.InitMajorPageFaults = milliseconds(u.CPU), new(int(u.MajorFaults))
		c.InitPageFaults = new(int(u.MinorFaults + u.MajorFaults))
	}
	if r.firstRead == nil {
		c.FirstResponsePackageReadKiB, c.FirstResponseBaseReadKiB, c.FirstResponseBaseReadChunks = nil, nil, nil
		return c
	}
	c.FirstResponseReadKiB, c.FirstResponseReadChunks = new(float64(r.firstRead.KiB)), &r.firstRead.Chunks
	if r.firstUsed != nil {
		c.FirstResponseCPUMs = milliseconds(r.firstUsed.CPU)
	}
	return c
}

// milliseconds returns nil for 0, which means that the CPU time was not counted.
func milliseconds(d time.Duration) *float64 {
	if d == 0 {
		return nil
	}
	return new(precise(d))
}

// Count returns the counts of a function's package, or nil if there are none. They are counted once for a package, in
// starts that are made for that. Measured starts cannot give them: the KiB of one start depend on this machine's kernel
// and on the order in which threads ran, and the base's files are in memory, so their pages cannot be counted.
type Count func(assembly.Function) *counts.Counts
