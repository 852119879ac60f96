// Package logline reads what Lambda, and the lab, write about an invocation into its log: the platform's lines in text and in JSON, and
// the lab's own LAB line.
//
// Only what begins a line counts: a function can print whatever the platform prints. Lambda's log tail is the last 4 kB of an
// invocation's log, so a REPORT may stand without its START, or be missing.
package logline

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ErrNotReport says that a line is something else: START, END, INIT_REPORT, or what a function printed.
var ErrNotReport = errors.New("not a REPORT line")

// Report is what Lambda says of one invocation. Nil and "" mean that the line did not hold the field: a warm start has no
// InitDurationMs, and that is not a zero.
type Report struct {
	RequestID string

	DurationMs       *float64 // the invocation, INIT apart
	BilledDurationMs *float64 // whole ms; on a cold start INIT is in it
	InitDurationMs   *float64 // cold starts only
	MemorySizeMB     *int     // configured
	MaxMemoryUsedMB  *int

	RestoreDurationMs       *float64 // SnapStart, in place of INIT
	BilledRestoreDurationMs *float64

	Status    string // "", success, error, timeout or failure; text lines have it only when something went wrong
	ErrorType string // such as Runtime.ExitError
	TraceID   string // X-Ray
}

// Crashed says that the execution environment is of no use any more. An error that the runtime itself reported leaves it as it was; the
// text form has no status then, JSON has "error" with a type of the function's own.
func (r *Report) Crashed() bool {
	return r.Status != "" && r.Status != "success" && (r.Status != "error" || strings.HasPrefix(r.ErrorType, "Runtime."))
}

// Whole says what Lambda writes into every REPORT and this one lacks, as a line does that was cut off. Emulators write less.
func (r *Report) Whole() error {
	for _, f := range []struct {
		name string
		here bool
	}{
		{"Duration", r.DurationMs != nil}, {"Billed Duration", r.BilledDurationMs != nil}, {"Memory Size", r.MemorySizeMB != nil},
		{"Max Memory Used", r.MaxMemoryUsedMB != nil},
	} {
		if !f.here {
			return fmt.Errorf("REPORT has no %s: the line was cut off", f.name)
		}
	}
	return nil
}

// ParseReport reads one REPORT line, text or platform.report in JSON. It returns ErrNotReport for any other line. For a REPORT with a
// value that is not a number, or below 0, it returns an error that names the field, and everything else that the line says.
func ParseReport(line string) (Report, error) {
	l, err := Parse(line)
	if l.Kind != KindReport {
		return Report{}, ErrNotReport
	}
	return l.Report, err
}

func parseText(line string) (Line, error) {
	r := Report{}
	var p problems
	for i, f := range fields(line[len("REPORT "):]) {
		switch f.key {
		case "RequestId":
			if i == 0 {
				r.RequestID = f.value
			}
		case "Duration":
			r.DurationMs = p.milliseconds(f)
		case "Billed Duration":
			r.BilledDurationMs = p.milliseconds(f)
		case "Init Duration":
			r.InitDurationMs = p.milliseconds(f)
		case "Restore Duration":
			r.RestoreDurationMs = p.milliseconds(f)
		case "Billed Restore Duration":
			r.BilledRestoreDurationMs = p.milliseconds(f)
		case "Memory Size":
			r.MemorySizeMB = p.megabytes(f)
		case "Max Memory Used":
			r.MaxMemoryUsedMB = p.megabytes(f)
		case "Status":
			r.Status = f.value
		case "Error Type":
			r.ErrorType = f.value
		case "XRAY TraceId":
			r.TraceID = f.value
		case "":
			p = append(p, fmt.Errorf("REPORT has %q, which belongs to no field: the line was cut off or is not Lambda's", f.value))
		}
	}
	if r.RequestID == "" || (r.DurationMs == nil && len(p) == 0) {
		return Line{}, nil // a function may print the word too
	}
	return Line{Kind: KindReport, RequestID: r.RequestID, Report: r}, errors.Join(p...)
}

// problems collects the fields of a line that hold no usable number.
type problems []error

func (p *problems) number(f field) *float64 {
	x, err := strconv.ParseFloat(f.value, 64)
	if err != nil || !decimal(f.value) { // neither NaN nor 0x1p-2
		*p = append(*p, fmt.Errorf("REPORT has %s %q: want a number >= 0", f.key, f.value))
		return nil
	}
	return p.bounded(f.key, x)
}

func decimal(s string) bool {
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && s[i] != '.' {
			return false
		}
	}
	return true
}

// bounded refuses what no invocation takes: 11 days of ms, where Lambda ends it after 15 minutes.
func (p *problems) bounded(key string, x float64) *float64 {
	if x > 1e9 {
		*p = append(*p, fmt.Errorf("REPORT has %s %v: too large", key, x))
		return nil
	}
	return &x
}

// milliseconds wants the unit: without it the number may have been cut off.
func (p *problems) milliseconds(f field) *float64 {
	x := p.number(f)
	switch {
	case x == nil || f.unit == "ms":
	case f.unit == "s":
		*x *= 1000
	default:
		*p = append(*p, fmt.Errorf("REPORT has %s %q without ms: the line was cut off or is not Lambda's", f.key, f.value))
		return nil
	}
	return x
}

func (p *problems) megabytes(f field) *int {
	if n := p.whole(f); n == nil || f.unit == "MB" {
		return n
	}
	*p = append(*p, fmt.Errorf("REPORT has %s %q without MB: the line was cut off or is not Lambda's", f.key, f.value))
	return nil
}

func (p *problems) whole(f field) *int {
	if x := p.number(f); x != nil {
		return new(int(math.Round(*x)))
	}
	return nil
}
