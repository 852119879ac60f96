package logline

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// event is platform.report of Lambda's JSON log format; other platform events have other types.
// See https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report.
type event struct {
	Type   string `json:"type"`
	Record struct {
		RequestID string `json:"requestId"`
		Status    string `json:"status"`
		ErrorType string `json:"errorType"`
		Metrics   struct {
			DurationMs              *float64 `json:"durationMs"`
			BilledDurationMs        *float64 `json:"billedDurationMs"`
			MemorySizeMB            *float64 `json:"memorySizeMB"`
			MaxMemoryUsedMB         *float64 `json:"maxMemoryUsedMB"`
			InitDurationMs          *float64 `json:"initDurationMs"`
			RestoreDurationMs       *float64 `json:"restoreDurationMs"`
			BilledRestoreDurationMs *float64 `json:"billedRestoreDurationMs"`
		} `json:"metrics"`
		Tracing struct {
			Value string `json:"value"`
		} `json:"tracing"`
	} `json:"record"`
}

func parseJSON(s string) (Report, error) {
	var e event
	if err := json.NewDecoder(strings.NewReader(s)).Decode(&e); err != nil {
		// A tail may begin in the middle of a line, and a function may print the word.
		return Report{}, ErrNotReport
	}
	if e.Type != "platform.report" || e.Record.RequestID == "" || e.Record.Metrics.DurationMs == nil {
		return Report{}, ErrNotReport
	}
	m := e.Record.Metrics
	var p problems
	r := Report{
		RequestID:               e.Record.RequestID,
		DurationMs:              p.positive("durationMs", m.DurationMs),
		BilledDurationMs:        p.positive("billedDurationMs", m.BilledDurationMs),
		InitDurationMs:          p.positive("initDurationMs", m.InitDurationMs),
		RestoreDurationMs:       p.positive("restoreDurationMs", m.RestoreDurationMs),
		BilledRestoreDurationMs: p.positive("billedRestoreDurationMs", m.BilledRestoreDurationMs),
		MemorySizeMB:            p.integer("memorySizeMB", m.MemorySizeMB),
		MaxMemoryUsedMB:         p.integer("maxMemoryUsedMB", m.MaxMemoryUsedMB),
		Status:                  e.Record.Status,
		ErrorType:               e.Record.ErrorType,
	}
	if r.Status == "success" {
		r.Status = "" // as in the text form, which has no status unless something went wrong
	}
	r.TraceID, _, _ = strings.Cut(strings.TrimPrefix(e.Record.Tracing.Value, "Root="), ";")
	return r, errors.Join(p...)
}

func (p *problems) positive(key string, x *float64) *float64 {
	if x != nil && *x < 0 {
		*p = append(*p, fmt.Errorf("platform.report has %s %v: want a number >= 0", key, *x))
		return nil
	}
	return x
}

func (p *problems) integer(key string, x *float64) *int {
	if x = p.positive(key, x); x == nil || *x > 1<<31 {
		return nil
	}
	n := int(*x + 0.5)
	return &n
}
