package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/sequential"
	"github.com/twinstart/twinstart/bench/show/table"
	"github.com/twinstart/twinstart/lab"
)

// runCommand measures an experiment and reports on it.
type runCommand struct {
	measureFlags
	predicts         bool          // the report predicts, so the run counts what packages read
	burst            int           // callers at the same time, for each function
	Load             *measure.Load `json:"load" kong:"-"` // in place of cold and warm samples
	Cold             int           `json:"cold" group:"many" default:"60"`
	UntilSignificant bool          `json:"untilSignificant" group:"many"`
	Clock            string        `json:"clock" group:"many" default:"init" enum:"init,cold,wait"`
	Warm             int           `json:"warm" group:"many" default:"100"`
	Phases           bool          `json:"phases" group:"what"`
	Parallel         int           `json:"parallel" group:"where"`
}

// Run measures, writes each record at once, and makes the report from the file of records.
func (c *runCommand) Run(ctx context.Context, std streams) error {
	if c.Resume {
		if err := c.adopt(); err != nil {
			return err
		}
	}
	if err := c.sort(c); err != nil {
		return err
	}
	if c.List {
		return c.list(ctx, std)
	}
	analysis, err := c.options()
	if err != nil {
		return err
	}
	c.predicts = c.Load == nil
	render, again := c.renderRun, ""
	if c.Out == "-" {
		if c.Out, err = lab.Temporary(); err != nil {
			return fmt.Errorf("making a folder for records: %w", err)
		}
		defer os.RemoveAll(c.Out)
		render, again = pipeRun, "start this again"
	}
	m, err := c.measure(ctx, std)
	if err != nil {
		return err
	}
	r, err := render(c.Out, analysis, c.Phases, std)
	short := m.short(cmp.Or(again, "continue with twinstart "+c.name()+" --resume --out "+c.Out))
	switch {
	case short != nil:
		return short
	case err != nil && len(m.outcome.NotMeasured) > 0: // no arm at all
		return fmt.Errorf("%w: %s", errIncomplete, arm.Reasons(m.outcome.NotMeasured))
	case err != nil:
		return err
	}
	return lacking(m.lacking, r, m.outcome.Warnings)
}

// pipeRun writes only records, to standard output.
func pipeRun(dir string, analysis report.Options, _ bool, std streams) (*report.Report, error) {
	file := filepath.Join(dir, recordsName)
	r, err := report.Files([]string{file}, nil, analysis)
	text, _ := os.ReadFile(file) // if it cannot be read, err says so
	fmt.Fprintf(std.out, "%s", text)
	return r, err
}

// args returns the packages and arms that were named.
func (c *runCommand) args() []string {
	if c.Arms == "" {
		return c.Packages
	}
	return append(slices.Clone(c.Packages), strings.Split(c.Arms, ",")...)
}

func (c *runCommand) validate() error {
	switch {
	case c.ReadAhead%4 != 0:
		return fmt.Errorf("--read-ahead %d: want whole pages, a multiple of 4 KiB", c.ReadAhead)
	case c.Load == nil && (min(c.Cold, c.Warm) < 0 || max(c.Cold, c.Warm) > 1e6 || c.Cold+c.Warm == 0):
		return fmt.Errorf("--cold %d --warm %d: nothing to measure, or too much: want 0 to 1000000 of each, "+
			"and not 0 of both", c.Cold, c.Warm)
	case c.UntilSignificant && c.Cold < sequential.FirstLook:
		return fmt.Errorf("--until-significant with --cold %d: the first look is after %d cold starts: raise --cold, "+
			"the limit", c.Cold, sequential.FirstLook)
	case c.Parallel < 0 || c.Pace < 0:
		return fmt.Errorf("--parallel %d --pace %v: want no negative value, or leave it out", c.Parallel, c.Pace)
	case c.Parallel > 1 && c.Source == record.Lab:
		return errors.New("--parallel is for --source aws: on one machine the arms would disturb each other")
	}
	return nil
}

// adopt takes the settings of the run to resume, so that both parts are one experiment.
func (c *runCommand) adopt() error {
	c.Out = cmp.Or(c.Out, filepath.Join("out", defaultExperiment+c.suffix()))
	earlier, err := runfile.Load(filepath.Join(c.Out, runfile.Name))
	if err != nil {
		return err
	}
	if earlier == nil {
		return fmt.Errorf("nothing to resume in %s: it has no %s; leave --resume out, or name the run's folder with --out",
			c.Out, runfile.Name)
	}
	return c.adoptOptions(earlier)
}

// adoptOptions takes the source, the seed and the options from run.json.
func (c *runCommand) adoptOptions(earlier *runfile.Run) error {
	if load := earlier.Options["load"] != nil; load != (c.Load != nil) {
		return fmt.Errorf("the run in %s is not one of twinstart %s: resume it with %s", c.Out, c.name(),
			map[bool]string{true: "twinstart load", false: "twinstart run"}[load])
	}
	text, _ := json.Marshal(earlier.Options) // read from JSON
	if earlier.Options["cold"] == nil || json.Unmarshal(text, c) != nil {
		return fmt.Errorf("%s does not say how its run was made: start a new one", filepath.Join(c.Out, runfile.Name))
	}
	c.Source, c.Seed, c.ForceCold = earlier.Source, earlier.Seed, true // the user agreed to ForceCold when the run began
	return nil
}

// measured is the result of a run, without its records.
type measured struct {
	outcome measure.Outcome
	lacking []arm.NotMeasured // arms that were asked for but not measured
}

// short returns an error if the run stopped early or has left something behind. again says how to continue.
func (m measured) short(again string) error {
	o := m.outcome
	if len(o.Unrestored) > 0 {
		again += ", which also removes what is left (" + strings.Join(o.Unrestored, "; ") + ")"
	}
	switch {
	case o.Stopped != "":
		return fmt.Errorf("%w: measured %d invocations, then %s: log in, then %s", errIncomplete, o.Written, o.Stopped, again)
	case o.Interrupted:
		return fmt.Errorf("measured %d invocations; %s", o.Written, again)
	case len(o.Unrestored) > 0:
		return fmt.Errorf("%w: %s", errIncomplete, again)
	}
	return nil
}

// measure measures and writes each record at once.
func (c *runCommand) measure(ctx context.Context, std streams) (m measured, err error) {
	if err := c.validate(); err != nil {
		return m, err
	}
	payload, err := readEvent(c.Event)
	if err != nil {
		return m, err
	}
	if c.load = c.Load; c.predicts {
		c.counter = newPackageCounter(ctx, c.labFlags, payload, std)
		defer c.counter.close()
	}
	from, err := open(ctx, subject{c.Source, c.functionFlags, c.args(), c.Function, c.Qualifier}, std)
	if err == nil && c.Source == record.AWS {
		err = from.identify(ctx, c.assemblyFlags)
	}
	if measure.Refused(err) {
		return m, fmt.Errorf("%w: %w: log in, then start this again", errIncomplete, err)
	}
	if err != nil {
		return m, err
	}
	defer from.close() //nolint:errcheck // the measurements are on disk by then
	targets := from.targets
	snapStart := slices.ContainsFunc(targets, func(t measure.Target) bool { return t.SnapStart })
	if c.UntilSignificant && snapStart {
		return m, errors.New("--until-significant looks at INIT, which functions with SnapStart do not have: leave it out")
	}
	if c.Load == nil && c.Source == record.AWS && (c.Parallel == 0 || snapStart) {
		c.burst = concurrency(ctx, from.client)
		c.Parallel = cmp.Or(c.Parallel, min(most, len(from.functions()), c.burst))
		c.burst = max(1, c.burst/c.Parallel)
	}
	if c.Source == record.AWS {
		if err := enough(ctx, from.config, from.provisioned(), std.err); err != nil {
			return m, err
		}
	}
	c.readyLoad(ctx, from)
	c.Out = cmp.Or(c.Out, filepath.Join("out", targets[0].Experiment+c.suffix()))
	journal, err := openJournal(c.Out, func(j *journal) error { return c.describe(j, from, targets, std) })
	if err != nil {
		return m, err
	}
	defer journal.close()
	std.warn(from.warnings...)
	options := c.measuring(from, journal.run, payload)
	if c.Source == record.AWS {
		fmt.Fprintln(std.err, from.estimate(options, journal.done))
	}
	bar := newPhase(std.err, "measuring", measure.Planned(targets, options, journal.done))
	bar.work -= (1 - warmWork) * float64(min(c.Warm*len(targets), bar.total))
	if options.Observe = bar.observe; c.Load != nil {
		options.Observe = (&loadMeter{bar: bar}).observe
	}
	if err := c.watch(journal, &options); err != nil {
		return m, err
	}
	m.outcome, err = measure.Run(ctx, from.client, targets, options, journal.done, journal.records)
	bar.finish()
	if err := errors.Join(err, journal.finish(m.outcome)); err != nil {
		return m, err
	}
	if s := journal.run.Sequential; s != nil && s.Stopped {
		fmt.Fprintf(std.err, "stopped after %d of %d cold rounds: an arm has won by %s (p < %.2g)\n",
			s.Ended, s.Rounds, s.Clock, s.Level)
	}
	m.lacking = slices.Concat(from.lacking, m.outcome.NotMeasured)
	return m, nil
}

func (c *runCommand) measuring(from *source, run *runfile.Run, payload []byte) measure.Options {
	o := measure.Options{Source: from.name, Region: from.config.Region, RunID: run.RunID, Seed: run.Seed,
		Cold: c.Cold, Warm: c.Warm, Payload: payload, Parallel: c.Parallel, Phases: c.Phases, Load: c.Load}
	if from.name == record.AWS {
		o.Pace, o.FirstAfterDeploy, o.Fresh = c.Pace, 1, 24*time.Hour
		o.Poll, o.Burst = 250*time.Millisecond, c.burst
	}
	return o
}

// lacking returns an error if something that was asked for has no figures.
func lacking(absent []arm.NotMeasured, r *report.Report, warnings []string) error {
	for _, a := range r.Arms {
		known := slices.ContainsFunc(absent, func(n arm.NotMeasured) bool { return n.Arm == a.ID })
		if known || a.InitCount > 0 || a.Warm.Count > 0 || a.Load != nil && a.Load.Latency.Count > 0 {
			continue
		}
		why := "no sample that counts"
		if a.LastError != "" {
			why += ": " + a.LastError
		} else if i := slices.IndexFunc(warnings, func(w string) bool { return strings.HasPrefix(w, a.ID+"@") }); i >= 0 {
			why += ": " + warnings[i]
		}
		absent = append(absent, arm.NotMeasured{Arm: a.Arm, Why: why})
	}
	if len(absent) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", errIncomplete, arm.Reasons(absent))
}

// list prints the arms, what they are, and which cannot be measured.
func (c *runCommand) list(ctx context.Context, std streams) error {
	found, err := resolve(ctx, c.assemblyFlags, c.variantFlags, c.args(), std)
	if err != nil {
		return err
	}
	t := table.Table{Heads: table.Heads(2, "arm", "what it is")}
	for _, f := range found.functions {
		arms, _ := f.Identity.Arms()
		for _, id := range arms {
			what, own := strings.CutPrefix(f.Description, f.Identity.Arm+" ")
			if !own {
				what = fmt.Sprintf("at %d MB, %s: %s", cmp.Or(id.MemorySizeMB, f.MemorySizeMB), f.Architecture,
					cmp.Or(f.Description, f.Package))
			}
			t.Add(id.Arm, what)
		}
	}
	for _, n := range slices.Concat(found.failed, found.notMeasured) {
		t.Add(n.Arm, "not measured: "+n.Why)
	}
	_, err = fmt.Fprint(std.out, t.Text(columns(std.out)))
	return err
}
