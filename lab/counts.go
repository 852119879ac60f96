package lab

import (
	"fmt"
	"strings"
	"time"
)

// counts is the lab's own line about a cold start: what no REPORT has. Its JSON form is the record of lab.report; bench reads both
// forms. Absent is absent, never 0.
type counts struct {
	RequestID string `json:"requestId"`

	InitReadKiB         int      `json:"initReadKiB"` // of the package
	InitReadChunks      int      `json:"initReadChunks"`
	InitCPUMs           *float64 `json:"initCPUMs,omitempty"` // of the process tree
	InitPageFaults      *int64   `json:"initPageFaults,omitempty"`
	InitMajorPageFaults *int64   `json:"initMajorPageFaults,omitempty"`
	InitBaseReadKiB     *int     `json:"initBaseReadKiB,omitempty"`
	InitBaseReadChunks  *int     `json:"initBaseReadChunks,omitempty"`
	InitLibcReadKiB     *int     `json:"initLibcReadKiB,omitempty"`
	InitWarmCPUMs       *float64 `json:"initWarmCPUMs,omitempty"`

	FirstReadKiB        *int     `json:"firstResponseReadKiB,omitempty"`
	FirstReadChunks     *int     `json:"firstResponseReadChunks,omitempty"`
	FirstCPUMs          *float64 `json:"firstResponseCPUMs,omitempty"`
	FirstBaseReadKiB    *int     `json:"firstResponseBaseReadKiB,omitempty"`
	FirstBaseReadChunks *int     `json:"firstResponseBaseReadChunks,omitempty"`
}

// counts is nil for a warm invocation.
func (r *report) counts() *counts {
	if r.initRead == nil {
		return nil
	}
	c := &counts{RequestID: r.requestID, InitReadKiB: r.initRead.KiB, InitReadChunks: r.initRead.Chunks}
	if u := r.initUsed; u != nil {
		all := u.MinorFaults + u.MajorFaults
		c.InitCPUMs, c.InitPageFaults, c.InitMajorPageFaults = milliseconds(u.CPU), &all, &u.MajorFaults
	}
	if b := r.base; b != nil {
		c.InitBaseReadKiB, c.InitBaseReadChunks, c.InitLibcReadKiB, c.InitWarmCPUMs = &b.Init.KiB, &b.Init.Chunks, &b.LibcKiB, b.WarmCPUMs
	}
	if r.firstRead == nil {
		return c
	}
	c.FirstReadKiB, c.FirstReadChunks = &r.firstRead.KiB, &r.firstRead.Chunks
	if r.firstUsed != nil {
		c.FirstCPUMs = milliseconds(r.firstUsed.CPU)
	}
	if b := r.base; b != nil && b.First != nil {
		c.FirstBaseReadKiB, c.FirstBaseReadChunks = &b.First.KiB, &b.First.Chunks
	}
	return c
}

// text writes the fields as Lambda writes those of REPORT.
func (c *counts) text(b *strings.Builder) {
	fmt.Fprintf(b, "RequestId: %s\tInit Read: %d KiB\tInit Read Chunks: %d", c.RequestID, c.InitReadKiB, c.InitReadChunks)
	field(b, "Init CPU: %.2f ms", c.InitCPUMs)
	field(b, "Init Page Faults: %d", c.InitPageFaults)
	field(b, "Init Major Page Faults: %d", c.InitMajorPageFaults)
	field(b, "Init Base Read: %d KiB", c.InitBaseReadKiB)
	field(b, "Init Base Read Chunks: %d", c.InitBaseReadChunks)
	field(b, "Init Libc Read: %d KiB", c.InitLibcReadKiB)
	field(b, "Init Warm CPU: %.2f ms", c.InitWarmCPUMs)
	field(b, "First Response Read: %d KiB", c.FirstReadKiB)
	field(b, "First Response Read Chunks: %d", c.FirstReadChunks)
	field(b, "First Response CPU: %.2f ms", c.FirstCPUMs)
	field(b, "First Response Base Read: %d KiB", c.FirstBaseReadKiB)
	field(b, "First Response Base Read Chunks: %d", c.FirstBaseReadChunks)
}

func field[T any](b *strings.Builder, format string, x *T) {
	if x != nil {
		fmt.Fprintf(b, "\t"+format, *x)
	}
}

// milliseconds is nil where CPU was not counted.
func milliseconds(d time.Duration) *float64 {
	if d == 0 {
		return nil
	}
	x := precise(d)
	return &x
}
