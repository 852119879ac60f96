package main

import (
	"fmt"
	"path/filepath"

	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/report/sequential"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// watch lets the run end by its own results, where that was asked for, and keeps in run.json what a report must know of it. A run that
// goes on sees what it measured before, and takes the same looks.
func (c *runCommand) watch(j *journal, o *measure.Options) error {
	if !c.UntilSignificant {
		return nil
	}
	clock := clocks[c.Clock]
	w := sequential.NewWatch(clock, c.Cold, stat.Alpha)
	if err := record.Each(filepath.Join(j.dir, recordsName), w.Observe, func(error) {}); err != nil {
		return fmt.Errorf("reading what was measured: %w", err)
	}
	state := &runfile.Sequential{Clock: string(clock), Alpha: stat.Alpha, Rounds: c.Cold, Level: w.Looks[0].Level}
	j.run.Sequential = state
	observe := o.Observe
	o.Observe = func(r record.Record) {
		w.Observe(&r)
		observe(r)
	}
	o.Enough = func(round int) bool {
		enough := w.Enough(round)
		if state.Looks, _ = w.Done(); state.Looks > 0 {
			state.Level = w.Level()
		}
		if enough || round == c.Cold {
			state.Ended, state.Stopped = round, enough && round < c.Cold
		}
		return enough
	}
	return j.run.Save(filepath.Join(j.dir, runfile.Name))
}
