package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/bench/measure/power"
	"github.com/twinstart/twinstart/bench/measure/power/step"
	"github.com/twinstart/twinstart/infra/powertuning"
)

func TestPowerTuning(t *testing.T) {
	stack := awscdk.NewStack(newApp(t, "", nil), jsii.String("Tuned"), nil)
	foreign := func(id string) awslambda.IFunction {
		return awslambda.Function_FromFunctionArn(stack, jsii.String(id), jsii.String("arn:aws:lambda:us-east-1:123456789012:function:"+id))
	}
	_, err := powertuning.New(stack, jsii.String("Tuning"), &powertuning.PowerTuningProps{
		Functions: []awslambda.IFunction{foreign("Hello")}, Processors: []awslambda.IFunction{foreign("Before")}, PowerValues: []int{128, 1769},
		EnvironmentKeys: []awskms.IKey{awskms.Key_FromKeyArn(stack, jsii.String("Key"), jsii.String("arn:aws:kms:us-east-1:123456789012:key/1"))},
		PayloadBucket:   awss3.Bucket_FromBucketName(stack, jsii.String("Payloads"), jsii.String("payloads")), Code: someCode(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "powertuning.json", templateText(t, stack))
	read := templateOf(t, stack)
	for _, f := range read.ofType("AWS::Lambda::Function") {
		p := f.Properties
		if p["Runtime"] != "provided.al2023" || p["MemorySize"] != 256.0 || p["Timeout"] != 900.0 || p["Architectures"].([]any)[0] != "arm64" {
			t.Errorf("the steps' function is %v", p)
		}
	}
	// Only the clean-up after a stop is an asynchronous call. It is retried.
	if n := len(read.ofType("AWS::Lambda::EventInvokeConfig")); n != 0 {
		t.Errorf("%d configurations of asynchronous calls, want Lambda's own: two retries", n)
	}
	// No right is on all resources, and no right to delete is on a function itself.
	for name, r := range read.Resources {
		text, _ := json.Marshal(r.Properties)
		if strings.HasPrefix(r.Type, "AWS::IAM::") && strings.Contains(string(text), `"Resource":"*"`) {
			t.Errorf("%s: %s", name, text)
		}
		for _, s := range statements(r.Properties) {
			if strings.Contains(s, "lambda:DeleteFunction") && !strings.HasSuffix(s, `on "arn:aws:lambda:us-east-1:123456789012:function:Hello:*"`) {
				t.Errorf("%s may delete: %s", name, s)
			}
		}
	}
}

// someCode replaces the program, whose first build for another architecture takes minutes. make test-deploy builds and
// runs the program.
func someCode(t *testing.T) awslambda.Code {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "bootstrap"), "#!")
	return awslambda.Code_FromAsset(&dir, nil)
}

func TestPowerTuningMistakes(t *testing.T) {
	stack := awscdk.NewStack(newApp(t, "", nil), jsii.String("Mistaken"), nil)
	f := awslambda.Function_FromFunctionArn(stack, jsii.String("F"), jsii.String("arn:aws:lambda:us-east-1:123456789012:function:F"))
	for want, props := range map[string]*powertuning.PowerTuningProps{
		"props Functions, Patterns and AssumeRoles are empty": {},
		"number 2 is nil":               {Functions: []awslambda.IFunction{f, nil}},
		"prop PowerValues holds 64":     {Functions: []awslambda.IFunction{f}, PowerValues: []int{64}},
		"building github.com/twinstart": {Functions: []awslambda.IFunction{f}, ModuleDir: t.TempDir()},
	} {
		if _, err := powertuning.New(stack, jsii.String("Bad"), props); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := powertuning.New(stack, jsii.String("Bad"), nil); err == nil {
		t.Error("no error without props")
	}
}

type definition struct {
	StartAt string
	States  map[string]state
}

type state struct {
	Type, Next, Default, Resource string
	End                           bool
	Choices                       []struct{ Next string }
	Catch                         []struct {
		ErrorEquals []string
		Next        string
	}
	Retry         []struct{ MaxAttempts int }
	ItemProcessor *definition
	Arguments     struct{ Payload struct{ Step step.Name } }
}

func powerTuningDefinition(t *testing.T) definition {
	t.Helper()
	var d definition
	if err := json.Unmarshal([]byte(strings.ReplaceAll(powertuning.Definition(), "${Partition}", "aws")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// AWS's asl-validator accepts the state machine.
func TestPowerTuningDefinitionIsValid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "definition.json")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(powertuning.Definition(), "${Partition}", "aws")), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(filepath.Join(repository, "node_modules", ".bin", "asl-validator"), "--json-path", path).CombinedOutput()
	if err != nil {
		t.Errorf("%v (npm ci installs the validator): %s", err, out)
	}
}

// Every failure leads to the clean-up. Every state is reached, and leads only to states that exist.
func TestPowerTuningFailuresCleanUp(t *testing.T) {
	d := powerTuningDefinition(t)
	steps := []step.Name{step.Initialise, step.Publish, step.Clean, step.Analyse, step.Optimise}
	reached := map[string]bool{d.StartAt: true}
	for name, s := range d.States {
		if (s.Type == "Task" || s.Type == "Map") && name != "CleanAfterFailure" {
			if len(s.Catch) != 1 || !slices.Equal(s.Catch[0].ErrorEquals, []string{"States.ALL"}) || s.Catch[0].Next != "CleanAfterFailure" {
				t.Errorf("%s: a failure goes to %+v", name, s.Catch)
			}
		}
		if s.Type == "Task" && !slices.Contains(steps, s.Arguments.Payload.Step) {
			t.Errorf("%s calls the unknown step %q", name, s.Arguments.Payload.Step)
		}
		if p := s.ItemProcessor; p != nil && p.States[p.StartAt].Arguments.Payload.Step != step.Execute {
			t.Errorf("%s calls the step %q", p.StartAt, p.States[p.StartAt].Arguments.Payload.Step)
		}
		next := []string{s.Next, s.Default}
		for _, c := range s.Choices {
			next = append(next, c.Next)
		}
		for _, c := range s.Catch {
			next = append(next, c.Next)
		}
		for _, n := range next {
			if reached[n] = true; n != "" && d.States[n].Type == "" {
				t.Errorf("%s leads to %q, which does not exist", name, n)
			}
		}
		for _, r := range s.Retry {
			if r.MaxAttempts != step.Retries {
				t.Errorf("%s is tried again %d times, but the sizes are calculated with %d", name, r.MaxAttempts, step.Retries)
			}
		}
	}
	for name := range d.States {
		if !reached[name] {
			t.Errorf("%s is never reached", name)
		}
	}
	if d.States["CleanAfterFailure"].Next != "Failed" || d.States["Failed"].Type != "Fail" {
		t.Error("after the clean-up, a failed execution does not end as failed")
	}
}

// walk counts the states that an execution enters: publishes calls of Publish, and calls of Execute for each group.
func walk(d definition, publishes int, distributed bool, calls []int) (n int) {
	for at := d.StartAt; at != ""; {
		s := d.States[at]
		n++
		switch {
		case s.Type == "Choice" && publishes > 1:
			publishes--
			at = s.Choices[0].Next
		case s.Type == "Choice" && distributed:
			at = s.Choices[1].Next
		case s.Type == "Choice":
			at = s.Default
		case s.Type == "Map":
			for _, c := range calls {
				if distributed {
					n++ // the child's start
				}
				n += branch(*s.ItemProcessor, c)
			}
			at = s.Next
		default:
			at = s.Next
		}
	}
	return n
}

func branch(d definition, calls int) (n int) {
	for at := d.StartAt; at != ""; {
		s := d.States[at]
		n++
		if at = s.Next; s.Type == "Choice" {
			if at = s.Default; calls > 1 {
				calls--
				at = s.Choices[0].Next
			}
		}
	}
	return n
}

// The formula for the bill counts the same transitions as the definition.
func TestPowerTuningTransitions(t *testing.T) {
	d := powerTuningDefinition(t)
	for _, test := range []struct {
		publishes   int
		distributed bool
		calls       []int
	}{{1, false, []int{1}}, {1, false, []int{1, 1, 1, 1, 1, 1}}, {3, false, []int{4, 1, 7}}, {1, true, []int{1, 2}}, {2, true, slices.Repeat([]int{power.MaxCalls}, 46)}} {
		p := power.Plan{Publishes: test.publishes, Distributed: test.distributed, Powers: make([]int, len(test.calls))}
		if got, want := p.Transitions(test.calls), walk(d, test.publishes, test.distributed, test.calls); got != want {
			t.Errorf("%+v: the formula says %d transitions, the definition makes %d", test, got, want)
		}
	}
}
