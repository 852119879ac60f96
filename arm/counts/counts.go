// Package counts defines counts of a cold start that the lab takes and that Lambda's REPORT line does not have.
// The lab writes them in its log lines, records keep them, and reports compute with them. A count that was not taken
// is nil, never 0.
package counts

import (
	"fmt"
	"math"
	"reflect"
	"strings"
)

// Counts in KiB repeat from run to run; times depend on the machine. The JSON names are those of lab.report and of
// records. "Base" means the base image's own files; they are counted apart from the package's files.
type Counts struct {
	// Pages of the package in the page cache at GET /next, and the 512 KiB chunks that contain them; then the same
	// at the first response.
	InitReadKiB             *float64 `json:"initReadKiB,omitempty"`
	InitReadChunks          *int     `json:"initReadChunks,omitempty"`
	FirstResponseReadKiB    *float64 `json:"firstResponseReadKiB,omitempty"`
	FirstResponseReadChunks *int     `json:"firstResponseReadChunks,omitempty"`

	// CPU of the process tree until GET /next, and from there until the first response, in ms of one core. Page
	// faults until GET /next: all of them, and those that had to read from disk.
	InitCPUMs           *float64 `json:"initCPUMs,omitempty"`
	FirstResponseCPUMs  *float64 `json:"firstResponseCPUMs,omitempty"`
	InitPageFaults      *int     `json:"initPageFaults,omitempty"`
	InitMajorPageFaults *int     `json:"initMajorPageFaults,omitempty"`

	// The lab counts these once for each package, in starts that it makes for this purpose. A measured start cannot
	// give them: its base is warm, and its reads vary with the order in which threads run and with the kernel.
	// PackageReadBy is "computed" (as Linux 5.10 to 6.16 reads) or "page-cache" (as the lab's kernel reads). Error
	// is a standard error. Libc is the base's C library and its loader. Warm CPU is measured with every page in
	// memory.
	ManagedRuntime              string   `json:"managedRuntime,omitempty"` // the runtime that the package starts: node
	PackageReadBy               string   `json:"packageReadBy,omitempty"`
	InitPackageReadKiB          *float64 `json:"initPackageReadKiB,omitempty"`
	InitPackageReadErrorKiB     *float64 `json:"initPackageReadErrorKiB,omitempty"`
	InitPackageReadChunks       *int     `json:"initPackageReadChunks,omitempty"`
	FirstResponsePackageReadKiB *float64 `json:"firstResponsePackageReadKiB,omitempty"`
	InitBaseReadKiB             *float64 `json:"initBaseReadKiB,omitempty"`
	InitBaseReadChunks          *int     `json:"initBaseReadChunks,omitempty"`
	InitLibcReadKiB             *float64 `json:"initLibcReadKiB,omitempty"`
	FirstResponseBaseReadKiB    *float64 `json:"firstResponseBaseReadKiB,omitempty"`
	FirstResponseBaseReadChunks *int     `json:"firstResponseBaseReadChunks,omitempty"`
	InitWarmCPUMs               *float64 `json:"initWarmCPUMs,omitempty"`
}

// Line is the lab's own log line about a cold start: the record of lab.report.
type Line struct {
	RequestID string `json:"requestId"`
	Counts
}

// Validate returns an error if a count is negative or not a number.
func (c *Counts) Validate() error {
	for f, x := range reflect.ValueOf(c).Elem().Fields() {
		if v, ok := x.Interface().(*float64); ok && v != nil && (!(*v >= 0) || math.IsInf(*v, 0)) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			return fmt.Errorf("%s is %v: want a number >= 0", name, *v)
		}
	}
	return nil
}
