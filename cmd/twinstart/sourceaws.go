package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/bench/show"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/deployment"
)

// openAWS finds the deployed functions of an assembly. CloudFormation maps logical IDs to functions.
func openAWS(ctx context.Context, of subject, std streams) (*source, error) {
	for _, arg := range of.args {
		if _, err := os.Stat(arg); err == nil || deployment.IsReference(arg) {
			return nil, fmt.Errorf("%s is a package, and --source aws measures deployed functions: leave --source out to "+
				"measure it here", arg)
		}
	}
	if of.varied() {
		return nil, errors.New("--handler, --runtime, --env and --memory are for the lab: on AWS a function is measured as " +
			"it is deployed")
	}
	if len(of.functions) > 0 || slices.ContainsFunc(of.args, functionARN.MatchString) {
		return openFunctions(ctx, slices.Concat(of.functions, of.args), of.qualifier)
	}
	found, err := resolve(ctx, of.assemblyFlags, of.variantFlags, of.args, std)
	if err != nil {
		return nil, err
	}
	cfg, err := account.InRegion(ctx, "")
	if err != nil {
		return nil, err
	}
	resources, err := measure.DeployedFunctions(ctx, found.stack.Name)
	if err != nil {
		return nil, err
	}
	s := newAWS(cfg)
	s.notMeasured, s.template = found.notMeasured, found.stack.Template
	for _, f := range found.functions {
		deployed, is := resources[f.LogicalID]
		if !is {
			why := "not deployed: the stack lacks " + f.LogicalID
			s.notMeasured = append(s.notMeasured, arm.NotMeasured{Arm: f.Identity.Arm, Why: why})
			continue
		}
		target := measure.Target{FunctionName: deployed.Name, DeployedAt: deployed.At}
		layers := func(id string) string { return resources[id].Name }
		arms, absent := targetsOf(f, target, of.load != nil, layers)
		s.targets, s.notMeasured = append(s.targets, arms...), append(s.notMeasured, absent...)
		s.assembled[deployed.Name] = f
	}
	if len(s.targets) == 0 {
		return nil, errors.New(arm.Reasons(s.notMeasured))
	}
	return s, nil
}

func newAWS(cfg aws.Config) *source {
	return &source{name: record.AWS, config: cfg, client: measure.NewClient(cfg),
		digests: map[string]string{}, assembled: map[string]assembly.Function{},
		warnings: elsewhere("AWS_ENDPOINT_URL_LAMBDA"), close: func() error { return nil }}
}

// elsewhere warns if the environment names an endpoint in place of AWS's own.
func elsewhere(service string) []string {
	endpoint := cmp.Or(os.Getenv(service), os.Getenv("AWS_ENDPOINT_URL"))
	if endpoint == "" {
		return nil
	}
	return []string{show.NotAWS + endpoint + ": figures come from what answers there, which may not be AWS"}
}

// identify asks Lambda what the targets are. It leaves out targets that cannot be read, and marks those that differ
// from the assembly as unlike: their labels would be wrong, so they are not measured.
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
		hash, isAsset := strings.CutPrefix(filepath.Base(f.Package), "asset.")
		if isAsset && code.ImageUri != nil && !strings.HasSuffix(*code.ImageUri, hash) {
			differs = "another image"
		}
		if differs != "" {
			t.Unlike = fmt.Sprintf("the deployed function is not the one in %s (%s): deploy that with make deploy, "+
				"or name the deployed assembly with --assembly", from.Assembly, differs)
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
		return fmt.Errorf("%s (%s not measured for such reasons)", differ[0], report.Plural(n, "arm"))
	}
	s.targets, s.warnings = kept, append(s.warnings, differ...)
	return nil
}

// built returns what an assembly says about a function. It knows the digest of code only for a ZIP file: a folder is
// zipped when it is deployed.
func built(f assembly.Function) runfile.Deployed {
	d := runfile.Deployed{Architecture: string(f.Architecture), MemorySizeMB: f.MemorySizeMB,
		PackageType: string(f.PackageType)}
	if code, err := os.ReadFile(f.Package); err == nil {
		digest := sha256.Sum256(code)
		d.CodeSHA256 = base64.StdEncoding.EncodeToString(digest[:])
	}
	return d
}
