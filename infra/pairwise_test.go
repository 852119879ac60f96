package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

var linter = flag.String("cfn-lint", "", "path of cfn-lint, to check the templates of all pairs of options against CloudFormation's schemas")

// factor is a choice of the user: values of context keys. An empty value sets no key.
type factor []map[string]any

var factors = []factor{
	{{"arms": "rawtcp/zip"}, {"arms": "rawtcp/image"}, {"arms": "bashtcp/image-minimal"}},
	{{}, {"architecture": "x86_64"}},
	{{}, {"memory": "128,512"}},
	{{}, {"tracing": "active"}, {"tracing": "passthrough"}},
	{{}, {"provisioned": "2"}, {"provisioned": "2-10"}},
	{{}, {"reserved": "5"}, {"reserved": "20"}},
	{{}, {"vpc": "new"}, {"vpc": "vpc-0123456789abcdef0", "subnets": "subnet-0123456789abcdef0"}},
	{{}, {"url": "iam"}},
	{{}, {"kms": "new"}, {"kms": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}},
	{{}, {"dlq": "sqs"}},
	{{}, {"logs": "experiment"}},
	{{}, {"tmp": "2048"}},
	{{}, {"observe": "none"}, {"observe": "dashboard,metrics,alarms,queries,contributors"}, {"observe": "dashboard,alarms"}},
}

// pair is two values of two factors.
type pair struct{ factor, value, other, otherValue int }

// pairwise chooses values of all factors so often that any two values of two factors occur together. It is greedy:
// each choice takes the value with the most new pairs.
func pairwise(factors []factor) [][]int {
	left := map[pair]bool{}
	for i := range factors {
		for j := i + 1; j < len(factors); j++ {
			for a := range factors[i] {
				for b := range factors[j] {
					left[pair{i, a, j, b}] = true
				}
			}
		}
	}
	var all [][]int
	for len(left) > 0 {
		first := slices.MinFunc(slices.Collect(maps.Keys(left)), func(a, b pair) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		chosen := make([]int, len(factors))
		for i := range chosen {
			chosen[i] = -1
		}
		chosen[first.factor], chosen[first.other] = first.value, first.otherValue
		for i := range chosen {
			if chosen[i] >= 0 {
				continue
			}
			most, best := -1, 0
			for v := range factors[i] {
				if n := meets(left, chosen, i, v); n > most {
					most, best = n, v
				}
			}
			chosen[i] = best
		}
		for p := range left {
			if chosen[p.factor] == p.value && chosen[p.other] == p.otherValue {
				delete(left, p)
			}
		}
		all = append(all, chosen)
	}
	return all
}

// meets counts the new pairs that a value makes with the values that were chosen before it.
func meets(left map[pair]bool, chosen []int, factor, value int) (n int) {
	for other, v := range chosen {
		switch {
		case v < 0 || other == factor:
		case other < factor && left[pair{other, v, factor, value}], other > factor && left[pair{factor, value, other, v}]:
			n++
		}
	}
	return n
}

// Any two options can be combined, or are refused with a reason. The result satisfies cdk-nag and, if -cfn-lint names
// it, cfn-lint.
func TestAnyTwoOptions(t *testing.T) {
	templates := t.TempDir()
	choices := pairwise(factors)
	refused := 0
	for i, chosen := range choices {
		context := map[string]any{"experiment": fmt.Sprintf("pair-%d", i)}
		for f, v := range chosen {
			maps.Copy(context, factors[f][v])
		}
		dir := project(t)
		app := newApp(t, "", context)
		stack, err := define(t.Context(), app, fakePackages{dir: dir})
		if err != nil {
			refused++
			if !strings.Contains(err.Error(), "-c provisioned with up to 10 environments and -c reserved=5: ") && !strings.Contains(err.Error(), "-c logs=experiment and -c observe=metrics: ") {
				t.Errorf("%v: %v", context, err)
			}
			continue
		}
		awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Verbose: jsii.Bool(true)}), nil)
		if err := catch(func() error { app.Synth(nil); return nil }); err != nil {
			t.Errorf("%v: %v", context, err)
			continue
		}
		found := assertions.Annotations_FromStack(stack)
		anything := assertions.Match_StringLikeRegexp(jsii.String("AwsSolutions-.*"))
		for _, m := range append(*found.FindError(jsii.String("*"), anything), *found.FindWarning(jsii.String("*"), anything)...) {
			t.Errorf("%v: %s: %s", context, *m.Id, oneLine(fmt.Sprint(m.Entry.Data))) //nolint:staticcheck // the assertions module offers no other
		}
		write(t, filepath.Join(templates, fmt.Sprintf("pair-%d.template.json", i)), string(templateText(t, stack)))
	}
	t.Logf("%d stacks, of which %d are refused, for %d factors", len(choices), refused, len(factors))
	if refused == 0 || refused > 4 {
		t.Errorf("%d of %d are refused, want 1 to 4: those that provision more than they reserve, or ask for metrics by arm from a shared log group", refused, len(choices))
	}
	if *linter == "" {
		return
	}
	for name, context := range map[string]map[string]any{"default": {"tuning": "on"}, "no-tuning": {}, "snapstart": {"experiment": "snapstart"}} { // with all arms
		_, stack := withTuningCode(t, "", context)
		write(t, filepath.Join(templates, name+".template.json"), string(templateText(t, stack)))
	}
	files, err := filepath.Glob(filepath.Join(templates, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	lint(t, files)
	if len(files) != len(choices)-refused+3 {
		t.Errorf("%d templates of %d stacks", len(files), len(choices)+3)
	}
}

// knownBetter are errors of cfn-lint 1.58.0. In JSONata MaxConcurrency may be an expression whose value is an integer,
// see https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html. And cfn-lint knows only one
// partition.
var knownBetter = regexp.MustCompile(`^'arn:\$\{Partition\}:states:::lambda:invoke' does not match |^'{% \$plan.concurrency %}' is not of type 'number' at 'States/\w+/MaxConcurrency'$`)

// lint checks templates against CloudFormation's schemas. It ignores W3005, which is about the DependsOn that the CDK
// writes beside references for roles, and W2530, which asks for versions of functions with SnapStart: a run publishes
// them.
func lint(t *testing.T, files []string) {
	t.Helper()
	cmd := exec.Command(*linter, append([]string{"--ignore-checks", "W3005", "W2530", "--format", "json", "--"}, files...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var found []struct {
		Filename, Message string
		Rule              struct{ ID string }
	}
	if unread := json.Unmarshal(out, &found); unread != nil || err != nil && len(found) == 0 {
		t.Errorf("cfn-lint: %v, %v: %s%s", err, unread, out, stderr.String())
	}
	for _, f := range found {
		if f.Rule.ID != "E3601" || !knownBetter.MatchString(f.Message) {
			t.Errorf("%s: %s: %s", filepath.Base(f.Filename), f.Rule.ID, f.Message)
		}
	}
}
