// Package logline reads what Lambda, and the lab, write about an invocation into its log: REPORT in text and in JSON, and
// the lab's own LAB line.
//
// Lambda's log tail is the last 4 kB of an invocation's log, so a REPORT may stand without its START, or be missing.
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

// ParseReport reads one REPORT line, text or platform.report in JSON, whatever stands before it (time stamp, stream).
// It returns ErrNotReport for any other line. For a REPORT with a number that is none, or below 0, it returns an error
// that names the field, and everything else that the line says.
func ParseReport(line string) (Report, error) {
	if i := strings.IndexByte(line, '{'); i >= 0 && strings.Contains(line, `"platform.report"`) {
		return parseJSON(line[i:])
	}
	rest, ok := after(line, "REPORT RequestId:")
	if !ok {
		return Report{}, ErrNotReport
	}
	r := Report{}
	var p problems
	for i, f := range fields("RequestId:" + rest) {
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
			r.MemorySizeMB = p.whole(f)
		case "Max Memory Used":
			r.MaxMemoryUsedMB = p.whole(f)
		case "Status":
			r.Status = f.value
		case "Error Type":
			r.ErrorType = f.value
		case "XRAY TraceId":
			r.TraceID = f.value
		}
	}
	if r.RequestID == "" || (r.DurationMs == nil && len(p) == 0) {
		return Report{}, ErrNotReport // a function may print the word too
	}
	return r, errors.Join(p...)
}

// problems collects the fields of a line that hold no usable number.
type problems []error

func (p *problems) number(f field) *float64 {
	x, err := strconv.ParseFloat(f.value, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) || x < 0 {
		*p = append(*p, fmt.Errorf("REPORT has %s %q: want a number >= 0", f.key, f.value))
		return nil
	}
	return &x
}

func (p *problems) milliseconds(f field) *float64 {
	x := p.number(f)
	if x != nil && f.unit == "s" {
		*x *= 1000
	}
	return x
}

func (p *problems) whole(f field) *int {
	x := p.number(f)
	if x == nil {
		return nil
	}
	if *x > math.MaxInt32 {
		*p = append(*p, fmt.Errorf("REPORT has %s %q: too large", f.key, f.value))
		return nil
	}
	n := int(math.Round(*x))
	return &n
}
