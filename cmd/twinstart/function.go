package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/record"
)

// deployedFlags name functions that anybody deployed, and which others may be calling.
type deployedFlags struct {
	Function  []string `group:"where" sep:"none" placeholder:"NAME|ARN" help:"Deployed function, whoever deployed it; may be repeated (aws, with --force-cold)."`
	ForceCold bool     `group:"where" help:"Force cold starts of --function: its callers meet them, too."`
}

// plainName is a function's, without a version or an alias.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// sort takes ARNs among packages and arms for what they are, and refuses what was not asked for in so many words.
func (f *deployedFlags) sort(c *runCommand) error {
	for _, p := range c.Packages {
		if functionARN.MatchString(p) {
			f.Function = append(f.Function, p)
		}
	}
	c.Packages = slices.DeleteFunc(c.Packages, functionARN.MatchString)
	switch {
	case len(f.Function) == 0:
		return nil
	case c.Source != record.AWS:
		return fmt.Errorf("--function %s is deployed: add --source aws", f.Function[0])
	case len(c.Packages)+len(c.Arms) > 0:
		return fmt.Errorf("--function names deployed functions, and %s is not the ARN of a function: name all of them by ARN, or none", strings.Join(c.args(), ", "))
	case !f.ForceCold:
		n := c.Cold + min(c.Warm, 10)
		return fmt.Errorf("%s may have callers, who would feel this run: %d times it changes an environment variable of the function, the next request of each caller then meets a cold start "+
			"(seconds, for some), and its deployments wait or fail meanwhile; if that may be, add --force-cold, else see what happened by itself: twinstart logs --log-group /aws/lambda/%s --since 10d",
			f.Function[0], n, f.Function[0][strings.LastIndex(f.Function[0], ":")+1:])
	}
	return nil
}

// openFunctions is of functions by name or ARN.
func openFunctions(ctx context.Context, functions []string) (*source, error) {
	cfg, err := account.Config(ctx)
	if err != nil {
		return nil, err
	}
	var targets []measure.Target
	region := cfg.Region
	for i, f := range functions {
		name := f
		if m := functionARN.FindStringSubmatch(f); m != nil {
			_, name, _ = strings.Cut(f, ":function:")
			if i > 0 && m[1] != region {
				return nil, fmt.Errorf("%s is not in %s: measure the functions of one region at a time", f, region)
			}
			region = m[1]
		}
		if !plainName.MatchString(name) {
			return nil, fmt.Errorf("%s is not the name or ARN of a function (versions and aliases are not measured: leave them out)", f)
		}
		targets = append(targets, measure.Target{Identity: arm.Identity{Experiment: functionsExperiment, Arm: name, Bootstrap: name}, FunctionName: f})
	}
	if cfg.Region = region; region == "" {
		if cfg, err = account.InRegion(ctx); err != nil {
			return nil, err
		}
	}
	s := newAWS(measure.NewClient(cfg), cfg.Region)
	s.targets = targets
	s.fit = func(ctx context.Context, t measure.Target, unread error) error {
		if unread != nil {
			return measure.Elsewhere(ctx, cfg, t.FunctionName, unread)
		}
		return measure.Unfit(ctx, s.client, t.FunctionName)
	}
	return s, nil
}
