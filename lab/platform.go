package lab

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/twinstart/twinstart/lab/assembly"
)

// event is the record of one of Lambda's own log lines, as in its JSON log format at system log level INFO. A line has
// only some of the fields. The text format says the same in words. See
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html and
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html.
type event struct {
	RequestID       string   `json:"requestId,omitempty"`
	Version         string   `json:"version,omitempty"`
	Initialization  string   `json:"initializationType,omitempty"`
	Phase           string   `json:"phase,omitempty"` // "init", or "invoke" if INIT ran as part of an invocation
	RuntimeVersion  string   `json:"runtimeVersion,omitempty"`
	Function        string   `json:"functionName,omitempty"`
	FunctionVersion string   `json:"functionVersion,omitempty"`
	Status          string   `json:"status,omitempty"`
	ErrorType       string   `json:"errorType,omitempty"`
	Metrics         *metrics `json:"metrics,omitempty"`

	failure *failure
}

type metrics struct {
	DurationMs       millis `json:"durationMs"`
	BilledDurationMs int64  `json:"billedDurationMs,omitempty"`
	MemorySizeMB     int    `json:"memorySizeMB,omitempty"`
	MaxMemoryUsedMB  int    `json:"maxMemoryUsedMB,omitempty"`
	InitDurationMs   millis `json:"initDurationMs,omitempty"`

	RestoreDurationMs       *millis `json:"restoreDurationMs,omitempty"`
	BilledRestoreDurationMs *int64  `json:"billedRestoreDurationMs,omitempty"`
}

// millis is a time that is written to JSON in milliseconds with three decimals, as Lambda does.
type millis time.Duration

func (m millis) MarshalJSON() ([]byte, error) { return json.Marshal(precise(time.Duration(m))) }

func precise(d time.Duration) float64 { return math.Round(ms(d)*1000) / 1000 }

func ms[D ~int64](d D) float64 { return float64(d) / float64(time.Millisecond) }

const timeFormat = "2006-01-02T15:04:05.000Z"

func (e *environment) logsJSON() bool { return e.config.LogFormat == string(assembly.JSON) }

// line returns a line of the JSON format.
func line(kind string, record any) string {
	text, _ := json.Marshal(struct {
		Time   string `json:"time"`
		Type   string `json:"type"`
		Record any    `json:"record"`
	}{time.Now().UTC().Format(timeFormat), kind, record})
	return string(text) + "\n"
}

// ended formats a line about something that has ended, with a failure, or with success if f is nil.
func (e *environment) ended(kind string, r event, f *failure) string {
	r.Status, r.failure = "success", f
	if f != nil && f.timeout {
		r.Status = "timeout"
	} else if f != nil {
		r.Status, r.ErrorType = "error", f.kind
	}
	return e.said(kind, r)
}

// said formats a line in the function's log format. "" means that there is no line.
func (e *environment) said(kind string, r event) string {
	if e.logsJSON() {
		return line("platform."+kind, r)
	}
	status := ""
	if r.failure != nil {
		status = "Status: " + r.Status + "\t"
	}
	if r.ErrorType != "" {
		status += "Error Type: " + r.ErrorType + "\t"
	}
	switch f := r.failure; kind {
	case "start":
		return fmt.Sprintf("START RequestId: %s Version: %s\n", r.RequestID, r.Version)
	case "initStart":
		if r.RuntimeVersion == "" { // an image does not use Lambda's runtime
			return ""
		}
		return fmt.Sprintf("INIT_START Runtime Version: %s\tRuntime Version ARN: arn:aws:lambda:%s::runtime:%[1]s\n",
			r.RuntimeVersion, assembly.Region)
	case "initReport":
		if f == nil && r.Initialization != snapStartInit {
			return ""
		}
		return fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: %s\t%s\n", ms(r.Metrics.DurationMs), r.Phase, status)
	case "restoreReport":
		return fmt.Sprintf("RESTORE_REPORT Restore Duration: %.2f ms\t%s\n", ms(r.Metrics.DurationMs), status)
	case "runtimeDone":
		switch {
		case f.timeout:
			now := time.Now().UTC().Format(timeFormat)
			return fmt.Sprintf("%s %s Task timed out after %d.00 seconds\n\n", now, r.RequestID, e.config.TimeoutSeconds)
		case len(f.body) == 0:
			return fmt.Sprintf("RequestId: %s Error: %s\n%s\n", r.RequestID, f.message, f.kind)
		}
		return ""
	}
	m := r.Metrics // kind is report: a tab follows each field, also the last one
	text := fmt.Sprintf("END RequestId: %s\nREPORT RequestId: %[1]s\tDuration: %.2f ms\tBilled Duration: %d ms\t"+
		"Memory Size: %d MB\tMax Memory Used: %d MB\t",
		r.RequestID, ms(m.DurationMs), m.BilledDurationMs, m.MemorySizeMB, m.MaxMemoryUsedMB)
	if m.InitDurationMs > 0 {
		text += fmt.Sprintf("Init Duration: %.2f ms\t", ms(m.InitDurationMs))
	}
	if m.RestoreDurationMs != nil {
		text += fmt.Sprintf("Restore Duration: %.2f ms\tBilled Restore Duration: %d ms\t",
			ms(*m.RestoreDurationMs), *m.BilledRestoreDurationMs)
	}
	return text + status + "\n"
}

func (e *environment) initStart(phase string) string {
	c := e.config
	r := event{Initialization: e.initialization(), Phase: phase, Function: c.Name, FunctionVersion: c.Version}
	if c.Runtime != "" { // Lambda has a version number in place of .lab
		r.RuntimeVersion = strings.Replace(c.Runtime, ".", ":", 1) + ".lab"
	}
	return e.said("initStart", r)
}

// initReport formats the line about an INIT that failed, or that ran before there was an invocation.
func (e *environment) initReport(took time.Duration, why *failure, phase string) string {
	m := &metrics{DurationMs: millis(took)}
	return e.ended("initReport", event{Initialization: e.initialization(), Phase: phase, Metrics: m}, why)
}

func (e *environment) initialization() string { return cmp.Or(e.config.Initialization, onDemand) }

// end formats END and REPORT, or the one record that replaces both in JSON.
func (e *environment) end(r report) string {
	m := &metrics{DurationMs: millis(r.duration), BilledDurationMs: r.billed(), MemorySizeMB: e.config.MemorySizeMB,
		MaxMemoryUsedMB: r.maxMemory, InitDurationMs: millis(cmp.Or(r.init, r.ahead))}
	if r.restore != nil {
		m.RestoreDurationMs, m.BilledRestoreDurationMs = new(millis(*r.restore)), new(int64(math.Ceil(ms(*r.restore))))
	}
	f := r.failure
	if f == nil && e.logsJSON() {
		f = r.reported
	}
	return e.ended("report", event{RequestID: r.requestID, Metrics: m}, f)
}
