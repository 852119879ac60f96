package lab

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm/counts"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
)

// platform formats Lambda's own lines about an invocation in the function's log format. "" means that there is no
// line.
type platform interface {
	start(requestID, version string) string
	initStart(c api.Configuration, phase string) string
	// initReport formats the line about an INIT that failed or that ran ahead. phase is "init", or "invoke" if INIT
	// ran as part of an invocation.
	initReport(r initResult, phase string) string
	restoreReport(r initResult) string
	// failed formats the line about a bootstrap that did not answer.
	failed(requestID string, f *failure, timeout time.Duration) string
	end(r report) string
	// own formats the lab's own line about a cold start.
	own(c *counts.Line) string
}

func (e *environment) platform() platform {
	if e.config.LogFormat == string(assembly.JSON) {
		return jsonLog{}
	}
	return textLog{}
}

// textLog is START, END and REPORT as Lambda writes them, with tabs between the fields and at the end. See
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html.
type textLog struct{}

func (textLog) start(requestID, version string) string {
	return fmt.Sprintf("START RequestId: %s Version: %s\n", requestID, version)
}

// runtimeVersion stands for Lambda's value: Lambda gives each runtime a new version every few weeks.
const runtimeVersion = ".lab"

func (textLog) initStart(c api.Configuration, _ string) string {
	if c.Runtime == "" {
		return "" // an image does not use Lambda's runtime
	}
	version := strings.Replace(c.Runtime, ".", ":", 1) + runtimeVersion
	return "INIT_START Runtime Version: " + version + "\tRuntime Version ARN: arn:aws:lambda:" + assembly.Region + "::runtime:" + version + "\n"
}

func (textLog) initReport(r initResult, phase string) string {
	if r.failure == nil && r.kind != snapStartInit {
		return ""
	}
	return fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: %s\t%s\n", ms(r.took), phase, textStatus(r.failure))
}

func (textLog) restoreReport(r initResult) string {
	return fmt.Sprintf("RESTORE_REPORT Restore Duration: %.2f ms\t%s\n", ms(r.took), textStatus(r.failure))
}

func (textLog) failed(requestID string, f *failure, timeout time.Duration) string {
	switch {
	case f.timeout:
		now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
		return fmt.Sprintf("%s %s Task timed out after %.2f seconds\n\n", now, requestID, timeout.Seconds())
	case len(f.body) == 0:
		return fmt.Sprintf("RequestId: %s Error: %s\n%s\n", requestID, f.message, f.kind)
	}
	return ""
}

func (textLog) end(r report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "END RequestId: %s\n", r.requestID)
	fmt.Fprintf(&b, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		r.requestID, ms(r.duration), r.billed(), r.memorySize, r.maxMemory)
	if init := cmp.Or(r.init, r.ahead); init > 0 {
		fmt.Fprintf(&b, "Init Duration: %.2f ms\t", ms(init))
	}
	if r.restore != nil {
		fmt.Fprintf(&b, "Restore Duration: %.2f ms\tBilled Restore Duration: %.0f ms\t", ms(*r.restore), math.Ceil(ms(*r.restore)))
	}
	b.WriteString(textStatus(r.failure))
	b.WriteByte('\n')
	return b.String()
}

func (textLog) own(c *counts.Line) string { return "LAB " + c.Text() + "\n" }

// textStatus returns how REPORT and INIT_REPORT show a failure.
func textStatus(f *failure) string {
	switch {
	case f == nil:
		return ""
	case f.timeout:
		return "Status: timeout\t"
	}
	return "Status: error\tError Type: " + f.kind + "\t"
}

// jsonLog is Lambda's JSON log format at system log level INFO: one platform event a line. See
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html.
type jsonLog struct{}

// event is a line of the log.
type event struct {
	Time   string `json:"time"`
	Type   string `json:"type"`
	Record any    `json:"record"`
}

// eventRecord has the fields of all records below. A record omits fields that it does not have.
type eventRecord struct {
	RequestID       string        `json:"requestId,omitempty"`
	Version         string        `json:"version,omitempty"`
	Initialization  string        `json:"initializationType,omitempty"`
	Phase           string        `json:"phase,omitempty"`
	RuntimeVersion  string        `json:"runtimeVersion,omitempty"`
	Function        string        `json:"functionName,omitempty"`
	FunctionVersion string        `json:"functionVersion,omitempty"`
	Status          string        `json:"status,omitempty"`
	ErrorType       string        `json:"errorType,omitempty"`
	Metrics         *eventMetrics `json:"metrics,omitempty"`
}

type eventMetrics struct {
	DurationMs       float64 `json:"durationMs"`
	BilledDurationMs int64   `json:"billedDurationMs,omitempty"`
	MemorySizeMB     int     `json:"memorySizeMB,omitempty"`
	MaxMemoryUsedMB  int     `json:"maxMemoryUsedMB,omitempty"`
	InitDurationMs   float64 `json:"initDurationMs,omitempty"`

	RestoreDurationMs       *float64 `json:"restoreDurationMs,omitempty"`
	BilledRestoreDurationMs *float64 `json:"billedRestoreDurationMs,omitempty"`
}

func line(kind string, record any) string {
	text, _ := json.Marshal(event{time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), kind, record})
	return string(text) + "\n"
}

// ended is line for what has ended, with a failure or, if f is nil, without one.
func (r eventRecord) ended(kind string, f *failure) string {
	r.Status, r.ErrorType = f.status()
	return line(kind, r)
}

func (jsonLog) start(requestID, version string) string {
	return line("platform.start", eventRecord{RequestID: requestID, Version: version})
}

func (jsonLog) initStart(c api.Configuration, phase string) string {
	record := eventRecord{Initialization: cmp.Or(c.Initialization, onDemand), Phase: phase, Function: c.Name, FunctionVersion: c.Version}
	if c.Runtime != "" {
		record.RuntimeVersion = strings.Replace(c.Runtime, ".", ":", 1) + runtimeVersion
	}
	return line("platform.initStart", record)
}

func (jsonLog) initReport(r initResult, phase string) string {
	record := eventRecord{Initialization: cmp.Or(r.kind, onDemand), Phase: phase, Metrics: &eventMetrics{DurationMs: precise(r.took)}}
	return record.ended("platform.initReport", r.failure)
}

func (jsonLog) restoreReport(r initResult) string {
	return eventRecord{Metrics: &eventMetrics{DurationMs: precise(r.took)}}.ended("platform.restoreReport", r.failure)
}

func (jsonLog) failed(requestID string, f *failure, _ time.Duration) string {
	return eventRecord{RequestID: requestID}.ended("platform.runtimeDone", f)
}

func (jsonLog) end(r report) string {
	record := eventRecord{RequestID: r.requestID, Metrics: &eventMetrics{
		DurationMs: precise(r.duration), BilledDurationMs: r.billed(), MemorySizeMB: r.memorySize, MaxMemoryUsedMB: r.maxMemory, InitDurationMs: precise(cmp.Or(r.init, r.ahead)),
	}}
	if r.restore != nil {
		took, billed := precise(*r.restore), math.Ceil(ms(*r.restore))
		record.Metrics.RestoreDurationMs, record.Metrics.BilledRestoreDurationMs = &took, &billed
	}
	return record.ended("platform.report", cmp.Or(r.failure, r.reported))
}

func (jsonLog) own(c *counts.Line) string { return line("lab.report", c) }

// status returns how an event reports a failure.
func (f *failure) status() (status, errorType string) {
	if f == nil {
		return "success", ""
	}
	if f.timeout {
		return "timeout", ""
	}
	return "error", f.kind
}

// precise returns milliseconds with three decimals, as Lambda writes them.
func precise(d time.Duration) float64 { return math.Round(ms(d)*1000) / 1000 }
