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
		c.InitCPUMs, c.InitPageFaults, c.InitMajorPageFaults = milliseconds(u.CPU), new(int(u.MinorFaults+u.MajorFaults)), new(int(u.MajorFaults))
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

// milliseconds returns nil if CPU was not counted.
func milliseconds(d time.Duration) *float64 {
	if d == 0 {
		return nil
	}
	return new(precise(d))
}

// Count returns what was counted of f's package, or nil if it is unknown. These counts are taken once, in starts made
// for this purpose, because measured starts cannot give them. The KiB of a single measured start depend on this
// machine's kernel and on the order in which threads ran. A measured start says nothing about the base, because the
// base's files are warm.
type Count func(assembly.Function) *counts.Counts
