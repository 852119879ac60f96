package logline

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// Counts is what only the lab can count, of cold starts. What repeats from run to run is KiB; times are of this machine. JSON names are
// those of lab.report and of records. Base means the base image's own files, which count apart from the package's.
type Counts struct {
	InitReadKiB             *float64 `json:"initReadKiB,omitempty"`          // of the package, in the page cache at GET /next
	InitReadChunks          *int     `json:"initReadChunks,omitempty"`       // the 512 KiB chunks they lie in
	FirstResponseReadKiB    *float64 `json:"firstResponseReadKiB,omitempty"` // the same at the first response
	FirstResponseReadChunks *int     `json:"firstResponseReadChunks,omitempty"`

	InitCPUMs           *float64 `json:"initCPUMs,omitempty"`           // CPU of the process tree to GET /next, ms of a core
	FirstResponseCPUMs  *float64 `json:"firstResponseCPUMs,omitempty"`  // from there to the first response
	InitPageFaults      *int     `json:"initPageFaults,omitempty"`      // to GET /next, all
	InitMajorPageFaults *int     `json:"initMajorPageFaults,omitempty"` // those that had to read

	// Counted once for a package, at starts of their own: single starts differ by the order that threads happen to run in and by the
	// kernel, and in a measured one the base is warm.
	ManagedRuntime              string   `json:"managedRuntime,omitempty"` // whose program it starts, such as node
	PackageReadBy               string   `json:"packageReadBy,omitempty"`  // computed (as Linux 5.10 to 6.16 reads) or page-cache (as the lab's kernel reads)
	InitPackageReadKiB          *float64 `json:"initPackageReadKiB,omitempty"`
	InitPackageReadErrorKiB     *float64 `json:"initPackageReadErrorKiB,omitempty"` // its standard error
	InitPackageReadChunks       *int     `json:"initPackageReadChunks,omitempty"`
	FirstResponsePackageReadKiB *float64 `json:"firstResponsePackageReadKiB,omitempty"`
	InitBaseReadKiB             *float64 `json:"initBaseReadKiB,omitempty"`
	InitBaseReadChunks          *int     `json:"initBaseReadChunks,omitempty"`
	InitLibcReadKiB             *float64 `json:"initLibcReadKiB,omitempty"` // of the base's: the C library and its loader
	FirstResponseBaseReadKiB    *float64 `json:"firstResponseBaseReadKiB,omitempty"`
	FirstResponseBaseReadChunks *int     `json:"firstResponseBaseReadChunks,omitempty"`
	InitWarmCPUMs               *float64 `json:"initWarmCPUMs,omitempty"` // CPU to GET /next with every page in memory: what is not reading
}

// Lab is the lab's own line about a cold start.
type Lab struct {
	RequestID string `json:"requestId"`
	Counts
}

// number and whole are the fields by their keys in the text form.
func (c *Counts) number(key string) **float64 {
	switch key {
	case "Init Read":
		return &c.InitReadKiB
	case "First Response Read":
		return &c.FirstResponseReadKiB
	case "Init CPU":
		return &c.InitCPUMs
	case "First Response CPU":
		return &c.FirstResponseCPUMs
	case "Init Package Read":
		return &c.InitPackageReadKiB
	case "Init Package Read Error":
		return &c.InitPackageReadErrorKiB
	case "First Response Package Read":
		return &c.FirstResponsePackageReadKiB
	case "Init Base Read":
		return &c.InitBaseReadKiB
	case "Init Libc Read":
		return &c.InitLibcReadKiB
	case "First Response Base Read":
		return &c.FirstResponseBaseReadKiB
	case "Init Warm CPU":
		return &c.InitWarmCPUMs
	}
	return nil
}

func (c *Counts) whole(key string) **int {
	switch key {
	case "Init Read Chunks":
		return &c.InitReadChunks
	case "First Response Read Chunks":
		return &c.FirstResponseReadChunks
	case "Init Page Faults":
		return &c.InitPageFaults
	case "Init Major Page Faults":
		return &c.InitMajorPageFaults
	case "Init Package Read Chunks":
		return &c.InitPackageReadChunks
	case "Init Base Read Chunks":
		return &c.InitBaseReadChunks
	case "First Response Base Read Chunks":
		return &c.FirstResponseBaseReadChunks
	}
	return nil
}

// Validate says which count is none.
func (c *Counts) Validate() error {
	for _, f := range [...]struct {
		name string
		x    *float64
	}{
		{"initReadKiB", c.InitReadKiB}, {"firstResponseReadKiB", c.FirstResponseReadKiB}, {"initCPUMs", c.InitCPUMs}, {"firstResponseCPUMs", c.FirstResponseCPUMs},
		{"initPackageReadKiB", c.InitPackageReadKiB}, {"initPackageReadErrorKiB", c.InitPackageReadErrorKiB}, {"firstResponsePackageReadKiB", c.FirstResponsePackageReadKiB},
		{"initBaseReadKiB", c.InitBaseReadKiB}, {"initLibcReadKiB", c.InitLibcReadKiB}, {"firstResponseBaseReadKiB", c.FirstResponseBaseReadKiB}, {"initWarmCPUMs", c.InitWarmCPUMs},
	} {
		if f.x != nil && (!(*f.x >= 0) || math.IsInf(*f.x, 0)) {
			return fmt.Errorf("%s is %v: want a number >= 0", f.name, *f.x)
		}
	}
	return nil
}

// ParseLab reads the lab's own line, text or lab.report in JSON; ok is false for any other.
func ParseLab(line string) (l Lab, ok bool) {
	if i := strings.IndexByte(line, '{'); i >= 0 && strings.Contains(line, `"lab.report"`) {
		return parseLabJSON(line[i:])
	}
	rest, ok := after(line, "LAB RequestId:")
	if !ok {
		return Lab{}, false
	}
	var p problems
	for i, f := range fields("RequestId:" + rest) {
		if i == 0 {
			l.RequestID = f.value
		} else if f.key == "Package Read By" {
			l.PackageReadBy = f.value
		} else if f.key == "Managed Runtime" {
			l.ManagedRuntime = f.value
		} else if x := l.number(f.key); x != nil {
			*x = p.number(f)
		} else if n := l.whole(f.key); n != nil {
			*n = p.whole(f)
		}
	}
	return l, l.RequestID != ""
}

func parseLabJSON(s string) (Lab, bool) {
	var e struct {
		Type   string `json:"type"`
		Record Lab    `json:"record"`
	}
	if json.NewDecoder(strings.NewReader(s)).Decode(&e) != nil || e.Type != "lab.report" || e.Record.RequestID == "" || e.Record.Validate() != nil {
		return Lab{}, false
	}
	return e.Record, true
}
