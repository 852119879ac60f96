package power

import (
	"fmt"
	"math"
	"slices"

	"github.com/twinstart/twinstart/bench/record/logline"
	"github.com/twinstart/twinstart/bench/report/price"
)

// Progress is what has been measured of one power value. Its size does not grow with the number of invocations.
type Progress struct {
	Power        int          `json:"power"`
	Done         int          `json:"done"`  // invocations
	Total        Distribution `json:"total"` // INIT + restore + handler, ms
	Handler      Distribution `json:"handler"`
	Init         Distribution `json:"init"`    // of cold starts
	Restore      Distribution `json:"restore"` // of cold starts with SnapStart
	Billed       Distribution `json:"billed"`
	MaxMemoryMB  int          `json:"maxMemoryMB,omitempty"`
	Allowed      int          `json:"allowed,omitempty"` // errors that allowedExceptions lets pass
	Throttles    int          `json:"throttles,omitempty"`
	Retries      int          `json:"retries,omitempty"`      // calls whose answer was an error of the service, or was lost
	Environments int          `json:"environments,omitempty"` // cold starts seen
	Failed       string       `json:"failed,omitempty"`       // why there is nothing more to measure

	FailedMs  float64 `json:"failedMs,omitempty"` // billed by invocations that ended with a function error
	FailedN   int     `json:"failedN,omitempty"`  // how many did, each tried again
	LastError string  `json:"lastError,omitempty"`
}

// GroupProgress is what has been measured of a group. It goes from state to state.
type GroupProgress struct {
	Round  int         `json:"round"` // the next one
	Calls  int         `json:"calls"` // of the step that measures
	Powers []*Progress `json:"powers"`
}

// more says whether a group is to be measured on.
func (g *GroupProgress) more(num int) bool {
	return slices.ContainsFunc(g.Powers, func(p *Progress) bool { return p.Failed == "" && p.Done < num })
}

// add takes the REPORT of an invocation. It returns an error where that lacks a figure.
func (p *Progress) add(r *logline.Report) error {
	if r == nil || r.DurationMs == nil || r.BilledDurationMs == nil {
		return fmt.Errorf("the log of an invocation holds no REPORT with Duration and Billed Duration: is its endpoint Lambda, or the lab?")
	}
	total := *r.DurationMs
	billed := *r.BilledDurationMs
	p.Handler.Add(*r.DurationMs)
	if r.InitDurationMs != nil {
		total += *r.InitDurationMs
		billed = price.BilledColdMs(billed, *r.InitDurationMs, *r.DurationMs)
		p.Init.Add(*r.InitDurationMs)
	}
	if r.RestoreDurationMs != nil {
		total += *r.RestoreDurationMs
		if r.BilledRestoreDurationMs != nil {
			billed += *r.BilledRestoreDurationMs
		}
		p.Restore.Add(*r.RestoreDurationMs)
	}
	p.Total.Add(math.Round(total*1e4) / 1e4) // the sum of two decimals has two
	p.Billed.Add(billed)
	if r.MaxMemoryUsedMB != nil {
		p.MaxMemoryMB = max(p.MaxMemoryMB, *r.MaxMemoryUsedMB)
	}
	p.Done++
	return nil
}
