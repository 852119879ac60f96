package lab

import (
	"cmp"
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm/counts"
	"github.com/twinstart/twinstart/lab/api"
)

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
}

func line(kind string, record any) string {
	text, _ := json.Marshal(event{time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), kind, record})
	return string(text) + "\n"
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
	record := eventRecord{Initialization: onDemand, Phase: phase, Status: "success", Metrics: &eventMetrics{DurationMs: precise(r.took)}}
	if r.failure == nil {
		record.Initialization = provisionedInit
	} else {
		record.Status, record.ErrorType = r.failure.status()
	}
	return line("platform.initReport", record)
}

func (jsonLog) failed(requestID string, f *failure, _ time.Duration) string {
	record := eventRecord{RequestID: requestID}
	record.Status, record.ErrorType = f.status()
	return line("platform.runtimeDone", record)
}

func (jsonLog) end(r report) string {
	record := eventRecord{RequestID: r.requestID, Status: "success", Metrics: &eventMetrics{
		DurationMs: precise(r.duration), BilledDurationMs: r.billed(), MemorySizeMB: r.memorySize, MaxMemoryUsedMB: r.maxMemory, InitDurationMs: precise(cmp.Or(r.init, r.ahead)),
	}}
	if r.failure != nil {
		record.Status, record.ErrorType = r.failure.status()
	} else if r.reported != nil {
		record.Status, record.ErrorType = r.reported.status()
	}
	return line("platform.report", record)
}

func (jsonLog) own(c *counts.Line) string { return line("lab.report", c) }

// status returns how an event reports a failure.
func (f *failure) status() (status, errorType string) {
	if f.timeout {
		return "timeout", ""
	}
	return "error", f.kind
}

// precise returns milliseconds with three decimals, as Lambda writes them.
func precise(d time.Duration) float64 { return math.Round(ms(d)*1000) / 1000 }
