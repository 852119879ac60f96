package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/report/cost"
	"github.com/twinstart/twinstart/lab/assembly"
)

// most is the default limit of functions measured at a time. With more, control-plane calls wait for each other.
const most = 8

// identify asks Lambda what the targets are. A target that differs from the assembly is not measured, because its
// labels would be wrong. Nor is one that cannot be read.
func (s *source) identify(ctx context.Context, from assemblyFlags) error {
	var kept []measure.Target
	var differ []string
	for _, t := range s.targets {
		now, code, err := measure.Read(ctx, s.client, t.FunctionName, t.Alias)
		if s.foreign && t.Alias == "" && err != nil {
			err = measure.Elsewhere(ctx, s.config, t.FunctionName, err)
		} else if s.foreign && t.Alias == "" {
			err = measure.Unfit(ctx, s.client, t.FunctionName)
		}
		if ctx.Err() != nil || measure.Refused(err) {
			return err
		}
		if err != nil {
			absent := arm.NotMeasured{Arm: t.Arm, Why: err.Error()}
			s.notMeasured, s.lacking = append(s.notMeasured, absent), append(s.lacking, absent)
			continue
		}
		own, _ := measure.Own(now)
		d := measure.DeployedOf(own)
		d.Image = aws.ToString(code.ResolvedImageUri)
		f, assembled := s.assembled[t.FunctionName]
		differs := ""
		if assembled {
			differs = d.Differs(built(f))
		}
		if hash, isAsset := strings.CutPrefix(filepath.Base(f.Package), "asset."); isAsset && code.ImageUri != nil && !strings.HasSuffix(*code.ImageUri, hash) {
			differs = "another image"
		}
		if differs != "" {
			t.Unlike = fmt.Sprintf("what is deployed is not what %s says (%s): deploy that with make deploy, or name the assembly that was deployed with --assembly", from.Assembly, differs)
			differ = append(differ, t.Arm+": "+t.Unlike)
		}
		t.Deployed, s.digests[t.Arm] = &d, d.CodeSHA256
		t.SnapStart = measure.SnapStart(now)
		t.Architecture, t.MemorySizeMB = arm.Architecture(d.Architecture), cmp.Or(t.Set.MemorySizeMB, d.MemorySizeMB)
		if !assembled {
			t.Package = arm.Package(strings.ToLower(d.PackageType))
		}
		if d.PackageType == string(assembly.Zip) {
			t.PackageSizeBytes = d.CodeSizeBytes
		}
		kept = append(kept, t)
	}
	if len(kept) == 0 {
		return errors.New(arm.Reasons(s.lacking))
	}
	if n := len(differ); n == len(kept) {
		return fmt.Errorf("%s (and so of %s)", differ[0], report.Plural(n-1, "other arm"))
	}
	s.targets, s.warnings = kept, append(s.warnings, differ...)
	return nil
}

// built returns what an assembly says about a function. It knows the digest of code only for a ZIP file: a folder is
// zipped when it is deployed.
func built(f assembly.Function) runfile.Deployed {
	d := runfile.Deployed{Architecture: string(f.Architecture), MemorySizeMB: f.MemorySizeMB, PackageType: string(f.PackageType)}
	if code, err := os.ReadFile(f.Package); err == nil {
		digest := sha256.Sum256(code)
		d.CodeSHA256 = base64.StdEncoding.EncodeToString(digest[:])
	}
	return d
}

// functions counts the arms of each function.
func (s *source) functions() map[string]int {
	arms := map[string]int{}
	for _, t := range s.targets {
		arms[t.FunctionName]++
	}
	return arms
}

// provisioned counts the environments that the run provisions. The arms of a function take their turns.
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
	text := fmt.Sprintf("about %.0f min: %d starts and invocations of %s, %d at a time", math.Ceil(measure.EstimateArms(slices.Collect(maps.Values(arms)), snapStart, provisioned, o).Minutes()), measure.Planned(s.targets, o, done),
		of, o.Parallel)
	file, _ := os.ReadFile(s.template) // it was read before
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

// deployedFlags name deployed functions, which may have callers.
type deployedFlags struct {
	Function  []string `json:"functions" group:"where" sep:"none" placeholder:"NAME|ARN" help:"Deployed function, whoever deployed it; may be repeated (aws, with --force-cold)."`
	Qualifier string   `json:"qualifier" group:"where" placeholder:"NAME" help:"Alias or version of --function, which a load meets as it is: no cold start is forced (twinstart load, aws)."`
	ForceCold bool     `json:"-" group:"where" help:"Force cold starts of --function: its callers meet them, too."`
}

// plainName matches the name of a function without a version or an alias.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// sort moves ARNs from the packages to the functions, and returns an error if the flags do not allow to measure them.
func (f *deployedFlags) sort(c *runCommand) error {
	for _, p := range c.Packages {
		if functionARN.MatchString(p) {
			f.Function = append(f.Function, p)
		}
	}
	c.Packages = slices.DeleteFunc(c.Packages, functionARN.MatchString)
	switch {
	case f.Qualifier != "" && (len(f.Function) == 0 || c.Load == nil):
		return fmt.Errorf("--qualifier %s is of a deployed function under load, for cold starts are forced of $LATEST alone: twinstart load --source aws --function NAME --qualifier %s", f.Qualifier, f.Qualifier)
	case len(f.Function) == 0:
		return nil
	case c.Source != record.AWS:
		return fmt.Errorf("--function %s is deployed: add --source aws", f.Function[0])
	case len(c.Packages)+len(c.Arms) > 0:
		return fmt.Errorf("--function names deployed functions, and %s is not the ARN of a function: name all of them by ARN, or none", strings.Join(c.args(), ", "))
	case !f.ForceCold && f.Qualifier == "":
		n := c.Cold + min(c.Warm, 10)
		return fmt.Errorf("%s may have callers, who would feel this run: %d times it changes an environment variable of the function, the next request of each caller then meets a cold start "+
			"(seconds, for some), and its deployments wait or fail meanwhile; if that may be, add --force-cold, else see what happened by itself: twinstart logs --log-group /aws/lambda/%s --since 10d",
			f.Function[0], n, f.Function[0][strings.LastIndex(f.Function[0], ":")+1:])
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
		if !plainName.MatchString(name) {
			return nil, fmt.Errorf("%s is not the name or ARN of a function: twinstart load --qualifier takes a version or an alias", f)
		}
		targets = append(targets, measure.Target{Identity: arm.Identity{Experiment: functionsExperiment, Arm: name, Bootstrap: name, Alias: qualifier}, FunctionName: f})
	}
	cfg, err := account.InRegion(ctx, region)
	if err != nil {
		return nil, err
	}
	s := newAWS(cfg)
	s.targets, s.foreign = targets, true
	return s, nil
}
