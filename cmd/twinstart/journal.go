package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/report/sequential"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// journal holds the files of a run.
type journal struct {
	dir     string
	run     *runfile.Run
	records *record.File
	done    record.Done
	unlock  func() error // unlocks the folder
}

func (j *journal) close() error { return errors.Join(j.records.Close(), j.unlock()) }

// openJournal locks a run's folder, calls describe, which sets the journal's run, opens the records and writes
// run.json.
func openJournal(dir string, describe func(*journal) error) (*journal, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder for records: %w: name another one with --out", err)
	}
	unlock, err := runfile.Lock(dir)
	if err != nil {
		return nil, err
	}
	j := &journal{dir: dir, unlock: unlock}
	if err = describe(j); err == nil {
		j.records, err = record.Append(filepath.Join(dir, recordsName))
	}
	if err == nil {
		err = j.run.Save(filepath.Join(dir, runfile.Name))
	}
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	return j, nil
}

func (c *runCommand) newRun(from *source, targets []measure.Target) *runfile.Run {
	seed := cmp.Or(c.Seed, rand.Uint64()>>11) // 53 bits, so that a JSON reader with doubles keeps it
	command := append([]string{"twinstart"}, os.Args[1:]...)
	if c.Seed == 0 { // a repeat of the run needs the same order
		command = append(command, "--seed", strconv.FormatUint(seed, 10))
	}
	now := time.Now().UTC()
	var options map[string]any
	flags, _ := json.Marshal(c)         // they are plain values
	_ = json.Unmarshal(flags, &options) // it is an object
	if from.name == record.AWS {        // these are for the lab only
		for _, name := range []string{"readAheadKiB", "initCPU", "baseRoot"} {
			delete(options, name)
		}
	}
	return &runfile.Run{RunID: now.Format("20060102T150405.000Z"), Experiment: targets[0].Experiment, Source: from.name,
		Region: from.config.Region, StartedAt: now, Seed: seed, Command: command, Options: options, Versions: versions(),
		AssetDigests: from.digests, Machine: runfile.ThisMachine()}
}

// versions returns the program's versions for run.json.
func versions() map[string]string {
	module, commit := version()
	v := map[string]string{"twinstart": module, "go": runtime.Version()}
	if commit != "" {
		v["commit"] = commit
	}
	return v
}

// finish completes run.json.
func (j *journal) finish(outcome measure.Outcome) error {
	j.run.EndedAt = time.Now().UTC()
	j.run.Interrupted = outcome.Interrupted || outcome.Stopped != ""
	for arm, d := range outcome.AtEnd {
		if d.Differs(j.run.Deployed[arm]) != "" {
			j.run.DeployedAtEnd[arm] = d
		}
	}
	j.run.NotMeasured = append(j.run.NotMeasured, outcome.NotMeasured...)
	j.run.Warnings = slices.Concat(j.run.Warnings, outcome.Warnings, outcome.Unrestored)
	if outcome.Stopped != "" {
		j.run.Warnings = append(j.run.Warnings, "the run could not go on: "+outcome.Stopped)
	}
	return errors.Join(j.records.Close(), j.run.Save(filepath.Join(j.dir, runfile.Name)))
}

// defaultExperiment is the app's default experiment, which names the folder of records.
const defaultExperiment = "packaging"

// recordsName is the file of records in a run's folder.
const recordsName = "records.jsonl"

// moveAside keeps an earlier run's files, so that the runs can be compared.
func moveAside(dir string, messages io.Writer) error {
	aside, err := runfile.MoveAside(dir)
	if aside != "" {
		fmt.Fprintf(messages, "the earlier run is kept in %s\n", aside)
	}
	return err
}

// watch makes the run end by its own results if --until-significant is given, and writes that to run.json for reports.
// A resumed run reads its earlier records and takes the same looks.
func (c *runCommand) watch(j *journal, o *measure.Options) error {
	if !c.UntilSignificant {
		return nil
	}
	w := sequential.NewWatch(clocks[c.Clock], c.Cold, stat.Alpha)
	if err := record.Each(filepath.Join(j.dir, recordsName), w.Observe, func(error) {}); err != nil {
		return fmt.Errorf("reading what was measured: %w", err)
	}
	j.run.Sequential, o.Enough = &w.Sequential, w.Enough
	observe := o.Observe
	o.Observe = func(r record.Record) {
		w.Observe(&r)
		observe(r)
	}
	return j.run.Save(filepath.Join(j.dir, runfile.Name))
}

// describe starts a run, or continues the interrupted one with --resume. It moves an earlier run in the same folder
// aside and never overwrites it.
func (c *runCommand) describe(j *journal, from *source, targets []measure.Target, std streams) error {
	earlier, err := runfile.Load(filepath.Join(c.Out, runfile.Name))
	if err != nil {
		return err
	}
	if c.Resume {
		if j.done, err = record.ReadDone(filepath.Join(c.Out, recordsName)); err != nil {
			return fmt.Errorf("reading what was measured: %w", err)
		}
		if changed := changedPackages(earlier.AssetDigests, from.digests); changed != "" && from.name == record.Lab {
			return fmt.Errorf("%s changed since the run in %s began: start a new one", changed, c.Out)
		}
		for i, t := range targets {
			if was, is := earlier.Deployed[t.String()]; is && t.Unlike == "" && t.Deployed.Differs(was) != "" {
				targets[i].Unlike = fmt.Sprintf("%s since the run in %s began", t.Deployed.Differs(was), c.Out)
			}
		}
		j.run = earlier
		j.run.Resumed++
		j.run.Interrupted, j.run.EndedAt = false, time.Time{}
	} else {
		if err := moveAside(c.Out, std.err); err != nil {
			return err
		}
		j.run = c.newRun(from, targets)
	}
	j.run.NotMeasured, j.run.Warnings = from.notMeasured, from.warnings
	j.run.Deployed, j.run.DeployedAtEnd = map[string]runfile.Deployed{}, map[string]runfile.Deployed{}
	for _, t := range targets {
		if t.Deployed != nil {
			j.run.Deployed[t.String()] = *t.Deployed
		}
	}
	return nil
}

// changedPackages names the arms whose deployment packages changed.
func changedPackages(before, now map[string]string) string {
	var changed []string
	for _, arm := range slices.Sorted(maps.Keys(before)) {
		if digest := now[arm]; digest != "" && digest != before[arm] {
			changed = append(changed, arm)
		}
	}
	return strings.Join(changed, ", ")
}
