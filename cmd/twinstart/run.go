package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/twinstart/twinstart/bench/driver"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/runfile"
)

// runCommand measures an experiment and reports on it.
type runCommand struct {
	assemblyFlags
	labFlags
	Source record.Source `default:"lab" enum:"lab,aws" help:"Where the functions run: lab (this machine) or aws (deployed)."`
	Arms   string        `placeholder:"GLOB,..." help:"Arms to measure, such as 'rawtcp/*,*/zip'; all by default."`
	Cold   int           `default:"60" help:"Cold starts of each arm."`
	Warm   int           `default:"100" help:"Warm invocations of each arm, after the cold rounds."`
	Seed   uint64        `help:"Seed of the order of arms; drawn and recorded by default."`
	Event  string        `placeholder:"FILE" help:"Event of every invocation; {} by default."`
	Out    string        `placeholder:"DIR" help:"Folder for records and reports; out/EXPERIMENT by default."`
	Resume bool          `help:"Go on with the run in --out that was interrupted."`

	FirstAfterDeploy int           `default:"1" help:"Cold starts of a function that count as the first after its deployment and are kept apart (aws)."`
	Pace             time.Duration `default:"100ms" help:"Least time between control-plane calls (aws); an account has 15 a second."`
	Parallel         int           `default:"1" help:"Functions measured at a time (aws only: on one machine they would disturb each other)."`
}

// Help is printed below the flags.
func (runCommand) Help() string {
	return `Examples:
  twinstart run                                   every arm, in the lab
  twinstart run --arms 'rawtcp/*' --cold 200      enough for a p99
  twinstart run --source aws --out out/aws        the deployed functions
  twinstart run --resume                          go on after Ctrl-C or a crash`
}

// Run measures, writing each record as it comes, and renders the report from the file of records.
func (c *runCommand) Run(ctx context.Context, io streams) error {
	if err := c.validate(); err != nil {
		return err
	}
	from, err := open(ctx, c.Source, c.labFlags, c.assemblyFlags)
	if err != nil {
		return err
	}
	defer from.close() //nolint:errcheck // what was measured is on disk by then
	targets, err := selectArms(from.targets, c.Arms)
	if err != nil {
		return err
	}
	if c.Out == "" {
		c.Out = filepath.Join("out", targets[0].Experiment)
	}
	payload, err := readEvent(c.Event)
	if err != nil {
		return err
	}
	journal, err := c.openJournal(from, targets)
	if err != nil {
		return err
	}
	defer journal.records.Close()
	for _, warning := range from.warnings {
		fmt.Fprintln(io.err, "warning:", warning)
	}
	options := c.options(from, journal.run, payload)
	bar := newProgress(io.err, driver.Planned(targets, options, journal.done))
	options.Observe = bar.observe
	outcome, err := driver.Run(ctx, from.client, targets, options, journal.done, journal.records)
	bar.finish()
	if err := errors.Join(err, journal.finish(outcome)); err != nil {
		return err
	}
	if err := renderRun(c.Out, io); err != nil {
		return err
	}
	if outcome.Interrupted {
		return fmt.Errorf("measured %d invocations; twinstart run --resume --out %s goes on", outcome.Written, c.Out)
	}
	return nil
}

func (c *runCommand) validate() error {
	switch {
	case c.Cold < 0 || c.Warm < 0 || c.Cold+c.Warm == 0:
		return fmt.Errorf("--cold %d --warm %d: nothing to measure; ask for one sample at least", c.Cold, c.Warm)
	case c.Parallel < 1:
		return fmt.Errorf("--parallel %d: at least one function must be measured at a time", c.Parallel)
	case c.Parallel > 1 && c.Source == record.Lab:
		return errors.New("--parallel is for --source aws: on one machine the arms would measure each other")
	}
	return nil
}

func (c *runCommand) options(from *source, run *runfile.Run, payload []byte) driver.Options {
	o := driver.Options{Source: from.name, Region: from.region, RunID: run.RunID, Seed: run.Seed,
		Cold: c.Cold, Warm: c.Warm, Payload: payload, Parallel: c.Parallel}
	if from.name == record.AWS {
		o.Pace, o.FirstAfterDeploy, o.Fresh = c.Pace, c.FirstAfterDeploy, 24*time.Hour
		o.Poll = 100 * time.Millisecond
	}
	return o
}

// journal is what a run leaves on disk.
type journal struct {
	dir     string
	run     *runfile.Run
	records *record.File
	done    record.Done
}

// openJournal starts the run's files, or with --resume goes on with those of an interrupted run. An earlier run in the
// same folder is moved aside, never overwritten.
func (c *runCommand) openJournal(from *source, targets []driver.Target) (*journal, error) {
	j := &journal{dir: c.Out}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder for records: %w", err)
	}
	earlier, err := runfile.Load(filepath.Join(c.Out, runfile.Name))
	if err != nil {
		return nil, err
	}
	records := filepath.Join(c.Out, recordsName)
	if c.Resume {
		if earlier == nil {
			return nil, fmt.Errorf("nothing to resume in %s: it has no %s; leave --resume out", c.Out, runfile.Name)
		}
		if earlier.Source != from.name {
			return nil, fmt.Errorf("the run in %s has source %s, not %s: resume it there, or choose another --out", c.Out, earlier.Source, from.name)
		}
		if j.done, err = record.ReadDone(records); err != nil {
			return nil, fmt.Errorf("reading what was measured: %w", err)
		}
		j.run = earlier
		j.run.Resumed++
		j.run.Interrupted, j.run.EndedAt = false, time.Time{}
	} else {
		if err := moveAside(c.Out); err != nil {
			return nil, err
		}
		j.run = c.newRun(from, targets)
	}
	j.run.NotMeasured, j.run.Warnings = from.notMeasured, from.warnings
	if j.records, err = record.Append(records); err != nil {
		return nil, err
	}
	return j, j.run.Save(filepath.Join(c.Out, runfile.Name))
}

func (c *runCommand) newRun(from *source, targets []driver.Target) *runfile.Run {
	seed := c.Seed
	if seed == 0 {
		seed = rand.Uint64() >> 11 // 53 bits: survives a JSON reader that has doubles only
	}
	now := time.Now().UTC()
	options := map[string]any{"cold": c.Cold, "warm": c.Warm, "arms": c.Arms, "event": c.Event}
	if from.name == record.Lab {
		maps.Copy(options, map[string]any{"readAheadKiB": c.ReadAhead, "initCPU": c.InitCPU, "baseRoot": c.BaseRoot != ""})
	} else {
		maps.Copy(options, map[string]any{"pace": c.Pace.String(), "parallel": c.Parallel, "firstAfterDeploy": c.FirstAfterDeploy})
	}
	return &runfile.Run{
		RunID:        now.Format("20060102T150405.000Z"),
		Experiment:   targets[0].Experiment,
		Source:       from.name,
		Region:       from.region,
		StartedAt:    now,
		Seed:         seed,
		Command:      append([]string{"twinstart"}, os.Args[1:]...),
		Options:      options,
		Versions:     map[string]string{"twinstart": version, "go": runtime.Version()},
		AssetDigests: from.digests,
		Machine:      runfile.ThisMachine(),
	}
}

// finish completes run.json.
func (j *journal) finish(outcome driver.Outcome) error {
	j.run.EndedAt = time.Now().UTC()
	j.run.Interrupted = outcome.Interrupted
	j.run.NotMeasured = append(j.run.NotMeasured, outcome.NotMeasured...)
	j.run.Warnings = append(j.run.Warnings, outcome.Warnings...)
	return errors.Join(j.records.Close(), j.run.Save(filepath.Join(j.dir, runfile.Name)))
}

// recordsName is the file of records in a run's folder.
const recordsName = "records.jsonl"

// moveAside moves an earlier run's files to earlier/RUN below its folder, so that old and new can be compared.
func moveAside(dir string) error {
	earlier, err := runfile.Load(filepath.Join(dir, runfile.Name))
	if err != nil || earlier == nil {
		return err
	}
	aside := filepath.Join(dir, "earlier", earlier.RunID)
	if err := os.MkdirAll(aside, 0o755); err != nil {
		return fmt.Errorf("moving the earlier run aside: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("moving the earlier run aside: %w", err)
	}
	for _, entry := range entries {
		if !entry.Type().IsRegular() {
			continue
		}
		if err := os.Rename(filepath.Join(dir, entry.Name()), filepath.Join(aside, entry.Name())); err != nil {
			return fmt.Errorf("moving the earlier run aside: %w", err)
		}
	}
	return nil
}
