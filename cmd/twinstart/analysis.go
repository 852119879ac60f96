package main

import (
	"fmt"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/price"
)

// analysisFlags are the options of a report.
type analysisFlags struct {
	Full      bool     `group:"output"`
	Prices    string   `group:"output" placeholder:"FILE"`
	ColdShare *share   `group:"output" placeholder:"SHARE"`
	Monthly   float64  `group:"output" placeholder:"N"`
	Primary   string   `group:"output" default:"auto" enum:"auto,init,cold,wait,warm"`
	Baseline  []string `group:"output" placeholder:"FILE"`
}

func (f analysisFlags) options() (o report.Options, err error) {
	if o.ColdShare = (*float64)(f.ColdShare); f.ColdShare != nil && *f.ColdShare > 1 {
		return o, fmt.Errorf("--cold-share %g: more than all invocations: want at most 100%%", *f.ColdShare)
	}
	if o.Monthly = f.Monthly; !(o.Monthly >= 0 && o.Monthly < 1e15) {
		return o, fmt.Errorf("--monthly %v: want a number of invocations, 0 to 1e15", f.Monthly)
	}
	o.Primary = clocks[f.Primary]
	if o.Prices, err = price.Load(f.Prices); err != nil {
		return o, err
	}
	for _, path := range f.Baseline {
		baselines, err := report.LoadBaselines(path)
		if err != nil {
			return o, err
		}
		o.Baselines = append(o.Baselines, baselines...)
	}
	return o, nil
}
