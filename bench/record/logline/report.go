// Package logline parses what Lambda and the lab write about an invocation into its log: the platform's lines in text
// and in JSON, and the lab's own line, lab.report.
//
// Only the beginning of a line counts, because a function can print the platform's words, too. Lambda's log tail is the
// last 4 kB of an invocation's log, so START, or even REPORT, may be missing. Times are in ms, sizes in MB.
package logline

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Report is what Lambda says about one invocation. Nil and "" mean that the line does not have the field: a warm
// start has no InitDurationMs, which differs from 0.
type Report struct {
	RequestID string

	DurationMs       *float64 // the invocation, INIT apart
	BilledDurationMs *float64 // whole ms; it includes INIT of a cold start
	InitDurationMs   *float64 // cold starts only
	MemorySizeMB     *int     // configured
	MaxMemoryUsedMB  *int

	RestoreDurationMs       *float64 // SnapStart, in place of INIT
	BilledRestoreDurationMs *float64

	Status    string // "", success, error, timeout or failure; in text only if something went wrong
	ErrorType string // such as Runtime.ExitError
	Sampled   string // whether X-Ray records it: "1" or "0"; "" is not known
}

// Crashed reports whether the execution environment has ended. An environment survives an error that its runtime
// reported. Such a REPORT has no status in text; in JSON it has "error" and an error type of the function.
func (r *Report) Crashed() bool {
	return r.Status != "" && r.Status != "success" && (r.Status != "error" || strings.HasPrefix(r.ErrorType, "Runtime."))
}

// Figure is a number of a REPORT, with its names in text and in JSON. It is a time in ms or a size in MB.
type Figure struct {
	Text, JSON string
	Always     bool // Lambda writes it into every REPORT
	Ms         **float64
	MB         **int
}

// Figures lists the numbers of a REPORT.
func (r *Report) Figures() []Figure {
	return []Figure{
		{Text: "Duration", JSON: "durationMs", Always: true, Ms: &r.DurationMs},
		{Text: "Billed Duration", JSON: "billedDurationMs", Always: true, Ms: &r.BilledDurationMs},
		{Text: "Memory Size", JSON: "memorySizeMB", Always: true, MB: &r.MemorySizeMB},
		{Text: "Max Memory Used", JSON: "maxMemoryUsedMB", Always: true, MB: &r.MaxMemoryUsedMB},
		{Text: "Init Duration", JSON: "initDurationMs", Ms: &r.InitDurationMs},
		{Text: "Restore Duration", JSON: "restoreDurationMs", Ms: &r.RestoreDurationMs},
		{Text: "Billed Restore Duration", JSON: "billedRestoreDurationMs", Ms: &r.BilledRestoreDurationMs},
	}
}

// Set stores a number from 0 to 1e9: 1e9 ms are 11 days, and Lambda ends an invocation after 15 minutes. The error for
// another number begins with what.
func (f Figure) Set(what string, x float64) error {
	switch {
	case !(x >= 0):
		return fmt.Errorf("%s %v: want a number >= 0", what, x)
	case x > 1e9:
		return fmt.Errorf("%s %v: too large", what, x)
	case f.Ms != nil:
		*f.Ms = &x
	default:
		*f.MB = new(int(math.Round(x)))
	}
	return nil
}

// Whole returns an error if the report lacks a number that Lambda always writes: the line was cut off. Emulators
// write fewer numbers.
func (r *Report) Whole() error {
	for _, f := range r.Figures() {
		if f.Always && (f.Ms == nil || *f.Ms == nil) && (f.MB == nil || *f.MB == nil) {
			return fmt.Errorf("REPORT has no %s: the line was cut off", f.Text)
		}
	}
	return nil
}

// read stores a number that has its unit. Without the unit it may have been cut off.
func (f field) read(to Figure) error {
	x, err := strconv.ParseFloat(f.value, 64)
	unit := "MB"
	if to.Ms != nil {
		if unit = "ms"; f.unit == "s" {
			x, f.unit = 1000*x, unit
		}
	}
	switch {
	case err != nil || strings.Trim(f.value, "0123456789.") != "": // neither NaN nor 0x1p-2
		return fmt.Errorf("REPORT has %s %q: want a number >= 0", f.key, f.value)
	case f.unit != unit:
		return fmt.Errorf("REPORT has %s %q without %s: the line was cut off or is not Lambda's", f.key, f.value, unit)
	}
	return to.Set("REPORT has "+f.key, x)
}
