package power

import (
	"errors"
	"math"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/twinstart/twinstart/bench/record/logline"
	"github.com/twinstart/twinstart/bench/report/price"
)

func (p *Progress) value(in Input, rate price.Rate) Value {
	trim := in.DiscardTopBottom
	v := Value{Value: p.Power, Invocations: p.Done, ColdStarts: p.Init.N + p.Restore.N, Course: p.Course}
	if v.Failed == "" && p.Done == 0 {
		v.Failed = "nothing was measured"
	}
	// The price is linear in billed ms, so the price of the mean is the mean of the prices.
	perMs := float64(p.Power) / 1024 / 1000 * rate.GBSecond
	v.TotalCost = (p.Billed.Sum+p.FailedMs)*perMs + float64(p.Billed.N+p.FunctionErrors)*rate.Request
	if p.Done == 0 {
		return v
	}
	v.Duration, v.Handler, v.Init = summarise(&p.Total, trim), summarise(&p.Handler, trim), summarise(&p.Init, trim)
	v.Restore, v.Billed = summarise(&p.Restore, trim), summarise(&p.Billed, trim)
	if v.Failed == "" {
		v.AverageDuration = v.Duration.TrimmedMean
		v.AveragePrice = p.Billed.TrimmedMean(trim)*perMs + rate.Request
		if in.Compatible {
			v.AveragePrice = math.Ceil(p.Total.TrimmedMean(trim)) * compatibleRate(rate) * float64(p.Power) / 128
			v.TotalCost = p.Billed.Sum * compatibleRate(rate) * float64(p.Power) / 128
		}
	}
	return v
}

// Progress is what has been measured of one power value. Its size does not grow with the number of invocations.
type Progress struct {
	Power        int          `json:"power"`
	Done         int          `json:"done"`  // invocations
	Total        Distribution `json:"total"` // INIT + restore + handler, ms
	Handler      Distribution `json:"handler"`
	Init         Distribution `json:"init"`    // of cold starts
	Restore      Distribution `json:"restore"` // of cold starts with SnapStart
	Billed       Distribution `json:"billed"`
	Environments int          `json:"environments,omitempty"` // number of cold starts
	FailedMs     float64      `json:"failedMs,omitempty"`     // ms, billed for invocations with a function error
	Course
}

// GroupProgress is what has been measured of a group. It goes from state to state.
type GroupProgress struct {
	Calls  int         `json:"calls"` // of the step that measures
	Powers []*Progress `json:"powers"`
}

// add adds the REPORT of an invocation. It returns an error if a figure is missing.
func (p *Progress) add(r *logline.Report) error {
	if r == nil || r.DurationMs == nil || r.BilledDurationMs == nil {
		return errors.New("an invocation's log has no REPORT with Duration and Billed Duration: check the endpoint")
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
		billed += aws.ToFloat64(r.BilledRestoreDurationMs)
		p.Restore.Add(*r.RestoreDurationMs)
	}
	p.Total.Add(math.Round(total*1e4) / 1e4) // a sum of numbers with two decimals has two decimals
	p.Billed.Add(billed)
	p.MaxMemoryUsedMB = max(p.MaxMemoryUsedMB, aws.ToInt(r.MaxMemoryUsedMB))
	p.Done++
	return nil
}

// count adds a failed invocation and its cost.
func (p *Progress) count(f *failure) {
	p.FunctionErrors++
	p.LastError = f.why
	if r := f.report; r != nil {
		p.MaxMemoryUsedMB = max(p.MaxMemoryUsedMB, aws.ToInt(r.MaxMemoryUsedMB))
		p.FailedMs += aws.ToFloat64(r.BilledDurationMs)
	}
}
