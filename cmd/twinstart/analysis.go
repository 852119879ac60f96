package main

import (
	"fmt"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/price"
)

// analysisFlags are what a report can be told besides its records.
type analysisFlags struct {
	Full      bool     `group:"output" help:"Print all of the report, not the answers and the best arms alone."`
	Prices    string   `group:"output" placeholder:"FILE" help:"Prices in place of the built-in ones, in the form of bench/report/price/prices.json."`
	ColdShare string   `group:"output" placeholder:"SHARE" help:"Share of cold starts that costs are shown for; by default that of the records where they are of real traffic, else 1%."`
	Primary   string   `group:"output" default:"init" enum:"init,cold,wait,warm" help:"Clock of the primary claim, to be chosen before looking: init, cold, wait or warm. The others are tested only where it tells arms apart."`
	Baseline  []string `group:"output" placeholder:"FILE" help:"Published figures of AWS to show beside the measured ones, labelled as such."`
}

func (f analysisFlags) options() (o report.Options, err error) {
	if f.ColdShare != "" {
		share, err := readShare("--cold-share", f.ColdShare)
		if err != nil {
			return o, err
		}
		if share > 1 {
			return o, fmt.Errorf("--cold-share %s: not all invocations, and no more, can be cold: want at most 100%%", f.ColdShare)
		}
		o.ColdShare = &share
	}
	if o.Primary = clocks[f.Primary]; f.Primary == "warm" {
		o.Primary = report.ClockWarm
	}
	if f.Prices != "" {
		if o.Prices, err = price.Load(f.Prices); err != nil {
			return o, err
		}
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
