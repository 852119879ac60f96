package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/cost"
)

// deployedFlags name deployed functions, which may have callers.
type deployedFlags struct {
	Function  []string `json:"functions" group:"where" sep:"none" placeholder:"NAME|ARN"`
	Qualifier string   `json:"qualifier" group:"where" placeholder:"NAME"`
	ForceCold bool     `json:"-" group:"where"`
}

// sort moves ARNs from the packages to the functions. It returns an error if the other flags do not fit deployed
// functions.
func (f *deployedFlags) sort(c *runCommand) error {
	for _, p := range c.Packages {
		if functionARN.MatchString(p) {
			f.Function = append(f.Function, p)
		}
	}
	c.Packages = slices.DeleteFunc(c.Packages, functionARN.MatchString)
	switch {
	case f.Qualifier != "" && (len(f.Function) == 0 || c.Load == nil):
		return fmt.Errorf("--qualifier %s is only for a load on a deployed function, because only cold starts of $LATEST "+
			"can be forced: twinstart load --source aws --function NAME --qualifier %s", f.Qualifier, f.Qualifier)
	case len(f.Function) == 0:
		return nil
	case slices.Contains(f.Function, ""):
		return errors.New("--function is empty: give it a name or an ARN, or leave it out")
	case c.Source != record.AWS:
		return fmt.Errorf("--function %s names a deployed function: add --source aws", f.Function[0])
	case len(c.Packages)+len(c.Arms) > 0:
		return fmt.Errorf("%s is not the ARN of a function, but the run measures deployed functions: name them alone, with "+
			"--function or as ARNs", strings.Join(c.args(), ", "))
	case !f.ForceCold && f.Qualifier == "":
		n := c.Cold + min(c.Warm, 10)
		name := f.Function[0][strings.LastIndex(f.Function[0], ":")+1:]
		return fmt.Errorf("%s may have callers, who would notice this run: it changes an environment variable of the "+
			"function %d times; then the next request of each caller meets a cold start (seconds, for some), and deployments "+
			"of the function wait or fail meanwhile; if you accept that, add --force-cold; if not, see past cold starts: "+
			"twinstart logs --log-group /aws/lambda/%s --since 10d", f.Function[0], n, name)
	}
	return nil
}

// openFunctions opens deployed functions by name or ARN.
func openFunctions(ctx context.Context, functions []string, qualifier string) (*source, error) {
	var targets []measure.Target
	region := "" // of the first ARN
	for _, f := range functions {
		name := f
		if m := functionARN.FindStringSubmatch(f); m != nil {
			_, name, _ = strings.Cut(f, ":function:")
			if region = cmp.Or(region, m[1]); region != m[1] {
				return nil, fmt.Errorf("%s is not in %s: measure the functions of one region at a time", f, region)
			}
		}
		if !arm.FunctionName.MatchString(name) {
			return nil, fmt.Errorf("%s is not the name or ARN of a function: to measure a version or an alias, use twinstart "+
				"load --qualifier", f)
		}
		id := arm.Identity{Experiment: functionsExperiment, Arm: name, Bootstrap: name, Alias: qualifier}
		targets = append(targets, measure.Target{Identity: id, FunctionName: f})
	}
	cfg, err := account.InRegion(ctx, region)
	if err != nil {
		return nil, err
	}
	s := newAWS(cfg)
	s.targets, s.foreign = targets, true
	return s, nil
}

// functions counts the arms of each function.
func (s *source) functions() map[string]int {
	arms := map[string]int{}
	for _, t := range s.targets {
		arms[t.FunctionName]++
	}
	return arms
}

// provisioned counts the environments that the run provisions at one time. It takes the largest arm of each function,
// because its arms are measured in turn.
func (s *source) provisioned() (n int) {
	most := map[string]int{}
	for _, t := range s.targets {
		n -= most[t.FunctionName]
		most[t.FunctionName] = max(most[t.FunctionName], t.Set.Provisioned)
		n += most[t.FunctionName]
	}
	return n
}

// estimate returns the time and the cost of a run on AWS.
func (s *source) estimate(o measure.Options, done record.Done) string {
	n, snapStart, provisioned, arms := len(s.targets), 0, 0, s.functions()
	for _, t := range s.targets {
		if t.Set.Provisioned > 0 {
			provisioned++
		}
		if t.SnapStart {
			snapStart++
		}
	}
	of, levers := report.Plural(len(arms), "function"), ""
	if n > len(arms) {
		of = report.Plural(n, "arm") + " of " + of
	}
	takes := measure.EstimateArms(slices.Collect(maps.Values(arms)), snapStart, provisioned, o)
	text := fmt.Sprintf("about %.0f min: %d starts and invocations of %s, %d at a time", math.Ceil(takes.Minutes()),
		measure.Planned(s.targets, o, done), of, o.Parallel)
	file, _ := os.ReadFile(s.template) // without a template there is no price
	if template, err := cost.Read(file); err == nil {
		measured := func(id string) bool {
			return slices.ContainsFunc(s.targets, func(t measure.Target) bool { return t.Arm == id })
		}
		for _, l := range template.Levers(o, measured) {
			levers += fmt.Sprintf("\n%d %s: %.4f USD; %s", l.Count, l.What, l.USD, l.Note)
		}
		text += fmt.Sprintf(", %.2f USD", cost.Total(template.Run(o, measured)))
	}
	return text + levers
}

// most is the default limit of functions measured at a time. With more, control-plane calls wait for each other.
const most = 8
