// Package counts defines the counts that the lab takes of a cold start and that Lambda's REPORT line does not have.
// The lab writes these names in its log lines, records keep them, and reports compute with them. A count that was
// not taken is nil, never 0.
package counts

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// Counts in KiB repeat from run to run; times depend on the machine. The JSON names are those of lab.report and of
// records. The tag text is the format of a count in a text log. "Base" means the base image's own files; they are
// counted apart from the package's files.
type Counts struct {
	// Pages of the package in the page cache at GET /next, and the 512 KiB chunks that contain them; then the same
	// at the first response.
	InitReadKiB             *float64 `json:"initReadKiB,omitempty" text:"Init Read: %.0f KiB"`
	InitReadChunks          *int     `json:"initReadChunks,omitempty" text:"Init Read Chunks: %d"`
	FirstResponseReadKiB    *float64 `json:"firstResponseReadKiB,omitempty" text:"First Response Read: %.0f KiB"`
	FirstResponseReadChunks *int     `json:"firstResponseReadChunks,omitempty" text:"First Response Read Chunks: %d"`

	// CPU of the process tree until GET /next, and from there until the first response, in ms of one core. Page
	// faults until GET /next: all of them, and those that had to read from disk.
	InitCPUMs           *float64 `json:"initCPUMs,omitempty" text:"Init CPU: %.2f ms"`
	FirstResponseCPUMs  *float64 `json:"firstResponseCPUMs,omitempty" text:"First Response CPU: %.2f ms"`
	InitPageFaults      *int     `json:"initPageFaults,omitempty" text:"Init Page Faults: %d"`
	InitMajorPageFaults *int     `json:"initMajorPageFaults,omitempty" text:"Init Major Page Faults: %d"`

	// The lab counts these once for each package, in starts that it makes for this purpose. A measured start cannot
	// give them: its base is warm, and its reads vary with the order in which threads run and with the kernel.
	// PackageReadBy is "computed" (as Linux 5.10 to 6.16 reads) or "page-cache" (as the lab's kernel reads). Error
	// is a standard error. Libc is the base's C library and its loader. Warm CPU is measured with every page in
	// memory.
	ManagedRuntime              string   `json:"managedRuntime,omitempty" text:"Managed Runtime: %s"` // whose program the package starts, such as node
	PackageReadBy               string   `json:"packageReadBy,omitempty" text:"Package Read By: %s"`
	InitPackageReadKiB          *float64 `json:"initPackageReadKiB,omitempty" text:"Init Package Read: %.0f KiB"`
	InitPackageReadErrorKiB     *float64 `json:"initPackageReadErrorKiB,omitempty" text:"Init Package Read Error: %.1f KiB"`
	InitPackageReadChunks       *int     `json:"initPackageReadChunks,omitempty" text:"Init Package Read Chunks: %d"`
	FirstResponsePackageReadKiB *float64 `json:"firstResponsePackageReadKiB,omitempty" text:"First Response Package Read: %.0f KiB"`
	InitBaseReadKiB             *float64 `json:"initBaseReadKiB,omitempty" text:"Init Base Read: %.0f KiB"`
	InitBaseReadChunks          *int     `json:"initBaseReadChunks,omitempty" text:"Init Base Read Chunks: %d"`
	InitLibcReadKiB             *float64 `json:"initLibcReadKiB,omitempty" text:"Init Libc Read: %.0f KiB"`
	FirstResponseBaseReadKiB    *float64 `json:"firstResponseBaseReadKiB,omitempty" text:"First Response Base Read: %.0f KiB"`
	FirstResponseBaseReadChunks *int     `json:"firstResponseBaseReadChunks,omitempty" text:"First Response Base Read Chunks: %d"`
	InitWarmCPUMs               *float64 `json:"initWarmCPUMs,omitempty" text:"Init Warm CPU: %.2f ms"`
}

// Line is the lab's own log line about a cold start. In a JSON log it is the record of lab.report; in a text log it
// is "LAB " followed by Text.
type Line struct {
	RequestID string `json:"requestId"`
	Counts
}

// Text writes the line's fields in the form that Lambda uses for REPORT.
func (l *Line) Text() string {
	var b strings.Builder
	b.WriteString("RequestId: " + l.RequestID)
	for f, x := range reflect.ValueOf(&l.Counts).Elem().Fields() {
		if !x.IsZero() {
			fmt.Fprintf(&b, "\t"+f.Tag.Get("text"), reflect.Indirect(x).Interface())
		}
	}
	return b.String()
}

// Set stores a field that was read in its text form. It ignores an unknown key and a value that is not a count.
func (c *Counts) Set(key, value string) {
	for f, x := range reflect.ValueOf(c).Elem().Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("text"), ":"); name != key {
			continue
		}
		switch x.Interface().(type) {
		case string:
			x.SetString(value)
		case *float64:
			if v, err := strconv.ParseFloat(value, 64); err == nil && strings.Trim(value, "0123456789.") == "" { // neither NaN nor 0x1p-2
				x.Set(reflect.ValueOf(&v))
			}
		case *int:
			if v, err := strconv.Atoi(value); err == nil && v >= 0 {
				x.Set(reflect.ValueOf(&v))
			}
		}
	}
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
