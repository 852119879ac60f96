package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/plan"
	"github.com/twinstart/twinstart/bench/report/price"
	"github.com/twinstart/twinstart/bench/show"
	"github.com/twinstart/twinstart/bench/show/table"
)

// clocks are the clocks of a cold start, by their names in flags.
var clocks = map[string]report.Clock{"init": report.ClockInit, "cold": report.ClockTotal, "wait": report.ClockWait}

// planCommand computes how many cold starts are needed.
type planCommand struct {
	assemblyFlags
	labFlags
	variantFlags
	Packages []string `arg:"" optional:"" name:"path|arm" help:"Deployment packages, or arms of the assembly, that a short pilot run measures here."`
	Effect   string   `group:"many" default:"5%" placeholder:"5%" help:"Smallest difference worth seeing."`
	Power    float64  `group:"many" default:"0.8" help:"Chance to see it."`
	Alpha    float64  `group:"many" default:"0.05" help:"Chance of any false claim among all pairs of arms."`
	Pilot    int      `group:"many" default:"20" help:"Cold starts of each arm in the pilot run."`
	From     []string `group:"what" placeholder:"FILE" help:"Records of an earlier run, or its folder, in place of a pilot run: they say how arms spread."`
	Clock    string   `group:"many" default:"init" enum:"init,cold,wait" help:"init (Init Duration), cold (INIT + first Duration) or wait (the caller's)."`
	Arms     string   `group:"what" placeholder:"GLOB,..." help:"Arms of the planned run; all by default."`
	Event    string   `group:"what" placeholder:"FILE" help:"Event of the pilot's invocations; {} by default."`
	Prices   string   `group:"output" placeholder:"FILE" help:"Prices in place of the built-in ones."`
	Format   string   `group:"output" default:"text" enum:"text,json" help:"text or json."`
}

// Run prints the plan.
func (c *planCommand) Run(ctx context.Context, io streams) error {
	effect, err := readShare("--effect", c.Effect)
	if err != nil {
		return err
	}
	if effect > 1 && !strings.HasSuffix(strings.TrimSpace(c.Effect), "%") {
		return fmt.Errorf("--effect %s would be %s00 %%: for percent write %s%%", c.Effect, c.Effect, c.Effect)
	}
	o := report.Options{Context: ctx}
	if o.Prices, err = price.Load(c.Prices); err != nil {
		return err
	}
	options := plan.Options{Clock: clocks[c.Clock], Effect: effect, Power: c.Power, Alpha: c.Alpha}
	var files []string
	switch {
	case len(c.From) > 0 && len(c.Packages) > 0:
		return errors.New("--from takes the place of a pilot run: name packages, or records")
	case len(c.Packages) > 0:
		dir, err := os.MkdirTemp("", "twinstart-plan-")
		if err != nil {
			return fmt.Errorf("making a folder for the pilot run: %w", err)
		}
		defer os.RemoveAll(dir)
		if err := c.pilot(ctx, dir, io); err != nil {
			return err
		}
		files, options.Subject = []string{filepath.Join(dir, recordsName)}, show.ShellLine(append(c.words(), c.Packages...))
	case len(c.From) > 0:
		if files, err = recordsOf(c.From); err != nil {
			return err
		}
		options.Subject = subjectOf(files[0])
	default:
		return errors.New("nothing to plan for: give packages (twinstart plan old.zip new.zip), or an earlier run (--from out/packaging)")
	}
	pilot, err := report.Files(files, os.Stdin, o)
	if err != nil {
		return err
	}
	if c.Arms != "" {
		options.Subject = show.ShellLine([]string{"--arms", c.Arms})
		for _, a := range pilot.Arms {
			if slices.ContainsFunc(strings.Split(c.Arms, ","), func(pattern string) bool { hit, _ := arm.Match(pattern, a.ID); return hit }) {
				options.Arms = append(options.Arms, a.Arm)
			}
		}
		if len(options.Arms) == 0 {
			return fmt.Errorf("no arm of the records matches %q", c.Arms)
		}
	}
	p, err := plan.Make(pilot, options)
	if err != nil {
		return err
	}
	if c.Format == "json" {
		return table.JSON(io.out, p)
	}
	_, err = fmt.Fprint(io.out, p.Text())
	return err
}

// pilot measures a few cold starts of each package.
func (c *planCommand) pilot(ctx context.Context, dir string, io streams) error {
	run := runCommand{measureFlags: measureFlags{assemblyFlags: c.assemblyFlags, labFlags: c.labFlags, variantFlags: c.variantFlags, Packages: c.Packages, Source: record.Lab, Event: c.Event, Out: dir},
		Cold: c.Pilot, Parallel: 1}
	m, err := run.measure(ctx, io)
	if err == nil && len(m.lacking) > 0 {
		err = errors.New(arm.Reasons(m.lacking))
	}
	return cmp.Or(err, ctx.Err())
}

// subjectOf returns what a run measured, as the end of its command line, or "" if its run.json does not say.
func subjectOf(records string) string {
	run, err := runfile.Load(filepath.Join(filepath.Dir(records), runfile.Name))
	var of runCommand
	if err != nil || run == nil || of.adoptOptions(run) != nil {
		return ""
	}
	return show.ShellLine(append(of.words(), of.args()...))
}

// readShare reads "5%" or "0.05".
func readShare(flag, text string) (float64, error) {
	number, percent := strings.CutSuffix(strings.ReplaceAll(text, " ", ""), "%")
	x, err := strconv.ParseFloat(number, 64)
	if percent {
		x /= 100
	}
	if err != nil || !(x >= 0) || x > 100 {
		return 0, fmt.Errorf("%s %q: want a share, such as 5%% or 0.05", flag, text)
	}
	return x, nil
}
