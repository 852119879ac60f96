package report

import (
	"time"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// pace is how long cold starts took to measure, control plane and all: the time from one to the next.
type pace struct {
	run  string
	last time.Time
	cold bool
	gaps []float64 // s
}

// maxGaps bounds what is kept: a median needs no more.
const maxGaps = 100_000

func (p *pace) see(r *record.Record) {
	if r.Round == 0 || r.StartedAt.IsZero() {
		return
	}
	if gap := r.StartedAt.Sub(p.last).Seconds(); p.cold && r.Start == record.Cold && p.run == r.RunID && gap >= 0 && len(p.gaps) < maxGaps {
		p.gaps = append(p.gaps, gap)
	}
	p.run, p.last, p.cold = r.RunID, r.StartedAt, r.Start == record.Cold
}

// ColdSeconds is how long one cold start took to measure, the median of one run's; 0 where records do not say.
func (r *Report) ColdSeconds() float64 {
	if len(r.gaps) == 0 {
		return 0
	}
	return stat.NewSample(r.gaps).Quantile(0.5)
}
