package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/report/cost"
	"github.com/twinstart/twinstart/lab/assembly"
)

// most functions are measured at a time unless more are asked for: with more, control-plane calls wait for each other.
const most = 8

// identify asks Lambda what the targets are, and takes that for what they are. One of which the assembly says something else is not measured:
// its labels would be wrong. Neither is one that cannot be read.
func (s *source) identify(ctx context.Context, from assemblyFlags) error {
	var kept []measure.Target
	var differ []string
	for _, t := range s.targets {
		now, code, err := measure.Read(ctx, s.client, t.FunctionName)
		if s.fit != nil {
			err = s.fit(ctx, t, err)
		}
		if ctx.Err() != nil || measure.Refused(err) {
			return err
		}
		if err != nil {
			absent := arm.NotMeasured{Arm: t.Arm, Why: err.Error()}
			s.notMeasured, s.lacking = append(s.notMeasured, absent), append(s.lacking, absent)
			continue
		}
		d := measure.DeployedOf(now)
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
		t.Architecture, t.MemorySizeMB = arm.Architecture(d.Architecture), d.MemorySizeMB
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
		return fmt.Errorf("%s (and so of %s)", differ[0], plural(n-1, "other arm", "other arms"))
	}
	s.targets, s.warnings = kept, append(s.warnings, differ...)
	return nil
}

// built is what an assembly says of a function. Of code only that of a ZIP file can be told: a folder is zipped by whoever deploys it.
func built(f assembly.Function) runfile.Deployed {
	d := runfile.Deployed{Architecture: string(f.Architecture), MemorySizeMB: f.MemorySizeMB, PackageType: string(f.PackageType)}
	if code, err := os.ReadFile(f.Package); err == nil {
		digest := sha256.Sum256(code)
		d.CodeSHA256 = base64.StdEncoding.EncodeToString(digest[:])
	}
	return d
}

// estimate is what a run on AWS will come to.
func (s *source) estimate(o measure.Options, done record.Done) string {
	n := len(s.targets)
	text := fmt.Sprintf("about %.0f min: %s of %s, %d at a time", math.Ceil(measure.Estimate(n, o).Minutes()), plural(measure.Planned(s.targets, o, done), "start", "starts and invocations"),
		plural(n, "function", "functions"), o.Parallel)
	file, _ := os.ReadFile(s.template) // it has been read before
	if template, err := cost.Read(file); err == nil {
		text += fmt.Sprintf(", %.2f USD", cost.Total(template.Run(o.Cold, o.Warm))*float64(n)/float64(len(s.assembled)))
	}
	return text
}
