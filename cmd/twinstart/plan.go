package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/plan"
	"github.com/twinstart/twinstart/bench/report/price"
)

// clocks are those of a cold start, by the names that flags have for them.
var clocks = map[string]report.Clock{"init": report.ClockInit, "cold": report.ClockTotal, "wait": report.ClockWait}

// planCommand says how many cold starts are needed.
type planCommand struct {
	Effect string   `required:"" placeholder:"5%" help:"Smallest difference worth seeing."`
	Power  float64  `default:"0.8" help:"Chance to see it."`
	Alpha  float64  `default:"0.05" help:"Chance of any false claim among all pairs of arms."`
	From   []string `required:"" placeholder:"FILE" help:"Records of an earlier run, or its folder: they say how arms spread."`
	Clock  string   `default:"init" enum:"init,cold,wait" help:"init (Init Duration), cold (INIT + first Duration) or wait (the caller's)."`
	Arms   string   `placeholder:"GLOB,..." help:"Arms of the planned run; all by default."`
	Prices string   `placeholder:"FILE" help:"Prices in place of the built-in ones."`
	Format string   `default:"text" enum:"text,json" help:"text or json."`
}

// Help is printed below the flags.
func (planCommand) Help() string {
	return `Examples:
  twinstart plan --effect 5% --from out/packaging
  twinstart plan --effect 2% --power 0.9 --arms '*/zip' --from out/aws/records.jsonl`
}

// Run plans.
func (c *planCommand) Run(ctx context.Context, io streams) error {
	effect, err := readShare("--effect", c.Effect)
	if err != nil {
		return err
	}
	if effect > 1 && !strings.HasSuffix(strings.TrimSpace(c.Effect), "%") {
		return fmt.Errorf("--effect %s would be %s00 %%: for percent write %s%%", c.Effect, c.Effect, c.Effect)
	}
	o := report.Options{Stop: ctx.Done()}
	if c.Prices != "" {
		if o.Prices, err = price.Load(c.Prices); err != nil {
			return err
		}
	}
	var files []string
	for _, f := range c.From {
		file, err := recordsIn(f)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	pilot, err := report.Files(files, os.Stdin, o)
	if err != nil {
		return err
	}
	options := plan.Options{Clock: clocks[c.Clock], Effect: effect, Power: c.Power, Alpha: c.Alpha, Filter: c.Arms}
	if c.Arms != "" {
		for _, a := range pilot.Arms {
			if matchesAny(c.Arms, a.ID) {
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
		return p.JSON(io.out)
	}
	return p.Text(io.out)
}

func matchesAny(patterns, id string) bool {
	for pattern := range strings.SplitSeq(patterns, ",") {
		if ok, _ := path.Match(pattern, id); ok {
			return true
		}
	}
	return false
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
