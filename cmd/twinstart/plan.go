package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	"github.com/twinstart/twinstart/lab"
)

// clocks are the clocks of a report, by their names in flags; "auto" has none.
var clocks = map[string]report.Clock{"init": report.ClockInit, "cold": report.ClockTotal, "wait": report.ClockWait,
	"warm": report.ClockWarm}

// planCommand computes how many cold starts are needed.
type planCommand struct {
	functionFlags
	Packages []string `arg:"" optional:"" name:"path|arm"`
	Effect   share    `group:"many" default:"5%" placeholder:"5%"`
	Power    float64  `group:"many" default:"0.8"`
	Alpha    float64  `group:"many" default:"0.05"`
	Pilot    int      `group:"many" default:"20"`
	From     []string `group:"what" placeholder:"FILE"`
	Clock    string   `group:"many" default:"init" enum:"init,cold,wait"`
	Arms     string   `group:"what" placeholder:"GLOB,..."`
	Event    string   `group:"what" placeholder:"FILE"`
	Prices   string   `group:"output" placeholder:"FILE"`
	Format   string   `group:"output" default:"text" enum:"text,json"`
}

func (c *planCommand) Run(ctx context.Context, std streams) error {
	prices, err := price.Load(c.Prices)
	if err != nil {
		return err
	}
	options := plan.Options{Clock: clocks[c.Clock], Effect: float64(c.Effect), Power: c.Power, Alpha: c.Alpha}
	from := c.From
	_, bad := arm.MatchAny(strings.Split(c.Arms, ","), "")
	switch {
	case bad != nil:
		return bad
	case !(c.Effect > 0) || !(c.Power > 0 && c.Power < 1) || !(c.Alpha > 0 && c.Alpha < 1):
		return fmt.Errorf("--effect %v --power %v --alpha %v: want an effect above 0, and chances between 0 and 1",
			c.Effect, c.Power, c.Alpha)
	case len(c.From) > 0 && len(c.Packages) > 0:
		return errors.New("--from takes the place of a pilot run: name packages, or records by --from, not both")
	case len(c.Packages) > 0 && (c.Pilot < plan.MinPilot || c.Pilot > 1e6):
		return fmt.Errorf("--pilot %d: want %d to 1000000 cold starts", c.Pilot, plan.MinPilot)
	case len(c.Packages) > 0:
		dir, err := lab.Temporary()
		if err != nil {
			return fmt.Errorf("making a folder for the pilot run: %w", err)
		}
		defer os.RemoveAll(dir)
		if err := c.pilot(ctx, dir, std); err != nil {
			return err
		}
		from, options.Subject = []string{dir}, show.ShellLine(append(c.words(), c.Packages...))
	case len(c.From) > 0:
		options.Subject = subjectOf(c.From[0])
	default:
		return errors.New("nothing to plan for: give packages (twinstart plan old.zip new.zip), or an earlier run " +
			"(--from out/packaging)")
	}
	pilot, err := reportOn(from, report.Options{Context: ctx, Prices: prices})
	if err != nil {
		return err
	}
	if c.Arms != "" {
		options.Subject = show.ShellLine([]string{"--arms", c.Arms})
		for _, a := range pilot.Arms {
			if hit, _ := arm.MatchAny(strings.Split(c.Arms, ","), a.ID); hit {
				options.Arms = append(options.Arms, a.Arm)
			}
		}
		if len(options.Arms) == 0 {
			return fmt.Errorf("no arm of the records matches --arms %q: twinstart report shows the arms", c.Arms)
		}
	}
	p, err := plan.Make(pilot, options)
	if err != nil {
		return err
	}
	if c.Format == "json" {
		return table.JSON(std.out, p)
	}
	_, err = fmt.Fprint(std.out, p.Text())
	return err
}

// pilot measures a few cold starts of each package.
func (c *planCommand) pilot(ctx context.Context, dir string, std streams) error {
	run := runCommand{Cold: c.Pilot, Parallel: 1, measureFlags: measureFlags{Packages: c.Packages, Source: record.Lab,
		Event: c.Event, Out: dir, functionFlags: c.functionFlags}}
	m, err := run.measure(ctx, std)
	if err == nil && len(m.lacking) > 0 {
		err = errors.New(arm.Reasons(m.lacking))
	}
	return cmp.Or(err, ctx.Err())
}

// subjectOf returns what a run measured, as the end of its command line, or "" if its run.json does not say.
func subjectOf(path string) string {
	records, _ := recordsIn(path)
	run, err := runfile.Load(filepath.Join(filepath.Dir(records), runfile.Name))
	var of runCommand
	if err != nil || run == nil || of.adoptOptions(run) != nil {
		return ""
	}
	return show.ShellLine(append(of.words(), of.args()...))
}

// share is a part of a whole: the text is "5%" or "0.05".
type share float64

func (s *share) UnmarshalText(text []byte) error {
	number, percent := strings.CutSuffix(strings.ReplaceAll(string(text), " ", ""), "%")
	x, err := strconv.ParseFloat(number, 64)
	if percent {
		x /= 100
	}
	switch {
	case err != nil || !(x >= 0) || x > 100:
		return fmt.Errorf("%q: want a share, such as 5%% or 0.05", text)
	case x > 1 && !percent:
		return fmt.Errorf("%s would be %.4g %%: for percent write %s%%", text, 100*x, text)
	}
	*s = share(x)
	return nil
}
