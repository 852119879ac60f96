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
	ManagedRuntime      string   `json:"managedRuntime,omitempty"`
	PackageReadBy       string   `json:"packageReadBy,omitempty"`
	PackageReadKiB      *int     `json:"initPackageReadKiB,omitempty"`
	PackageReadChunks   *int     `json:"initPackageReadChunks,omitempty"`
	PackageReadErrorKiB *float64 `json:"initPackageReadErrorKiB,omitempty"`
	InitBaseReadKiB     *int     `json:"initBaseReadKiB,omitempty"`
	InitBaseReadChunks  *int     `json:"initBaseReadChunks,omitempty"`
	InitLibcReadKiB     *int     `json:"initLibcReadKiB,omitempty"`
	InitWarmCPUMs       *float64 `json:"initWarmCPUMs,omitempty"`

	FirstReadKiB        *int     `json:"firstResponseReadKiB,omitempty"`
	FirstReadChunks     *int     `json:"firstResponseReadChunks,omitempty"`
	FirstCPUMs          *float64 `json:"firstResponseCPUMs,omitempty"`
	FirstPackageReadKiB *int     `json:"firstResponsePackageReadKiB,omitempty"`
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
	if n := r.counted; n != nil {
		c.ManagedRuntime = n.Managed
		c.PackageReadBy, c.PackageReadKiB, c.PackageReadChunks, c.PackageReadErrorKiB = n.By, &n.Package.KiB, &n.Package.Chunks, &n.ErrorKiB
		c.InitBaseReadKiB, c.InitBaseReadChunks, c.InitLibcReadKiB, c.InitWarmCPUMs = &n.Base.KiB, &n.Base.Chunks, &n.LibcKiB, n.WarmCPUMs
	}
	if r.firstRead == nil {
		return c
	}
	c.FirstReadKiB, c.FirstReadChunks = &r.firstRead.KiB, &r.firstRead.Chunks
	if r.firstUsed != nil {
		c.FirstCPUMs = milliseconds(r.firstUsed.CPU)
	}
	if n := r.counted; n != nil && n.First != nil {
		c.FirstPackageReadKiB = &n.First.KiB
	}
	if n := r.counted; n != nil && n.BaseFirst != nil {
		c.FirstBaseReadKiB, c.FirstBaseReadChunks = &n.BaseFirst.KiB, &n.BaseFirst.Chunks
	}
	return c
}

// text writes the fields as Lambda writes those of REPORT.
func (c *counts) text(b *strings.Builder) {
	fmt.Fprintf(b, "RequestId: %s\tInit Read: %d KiB\tInit Read Chunks: %d", c.RequestID, c.InitReadKiB, c.InitReadChunks)
	field(b, "Init CPU: %.2f ms", c.InitCPUMs)
	field(b, "Init Page Faults: %d", c.InitPageFaults)
	field(b, "Init Major Page Faults: %d", c.InitMajorPageFaults)
	for _, f := range [...][2]string{{"Managed Runtime", c.ManagedRuntime}, {"Package Read By", c.PackageReadBy}} {
		if f[1] != "" {
			fmt.Fprintf(b, "\t%s: %s", f[0], f[1])
		}
	}
	field(b, "Init Package Read: %d KiB", c.PackageReadKiB)
	field(b, "Init Package Read Chunks: %d", c.PackageReadChunks)
	field(b, "Init Package Read Error: %.1f KiB", c.PackageReadErrorKiB)
	field(b, "Init Base Read: %d KiB", c.InitBaseReadKiB)
	field(b, "Init Base Read Chunks: %d", c.InitBaseReadChunks)
	field(b, "Init Libc Read: %d KiB", c.InitLibcReadKiB)
	field(b, "Init Warm CPU: %.2f ms", c.InitWarmCPUMs)
	field(b, "First Response Read: %d KiB", c.FirstReadKiB)
	field(b, "First Response Read Chunks: %d", c.FirstReadChunks)
	field(b, "First Response CPU: %.2f ms", c.FirstCPUMs)
	field(b, "First Response Package Read: %d KiB", c.FirstPackageReadKiB)
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
