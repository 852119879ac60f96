package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/tools/need"
)

// TestScenarios measures each scenario twice: once to its end, and once with a SIGKILL and --resume. It prints a table
// of the results.
func TestScenarios(t *testing.T) {
	t.Parallel()
	need.Time(t)
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "scenario\tstatus\trecords\tafterwards\tkilled, they keep\tresumed\tafterwards")
	each := scenarios()
	lines := make([]string, len(each))
	var all sync.WaitGroup
	free := make(chan bool, 24) // runs at the same time; most of the time they wait
	for i, s := range each {
		all.Go(func() {
			free <- true
			lines[i] = s.name + "\t" + s.whole(t)
			if s.status != exitUsage {
				lines[i] += "\t" + s.killed(t)
			}
			<-free
		})
	}
	all.Wait()
	actions := map[string]bool{"kms:CreateGrant": true, "kms:Decrypt": true, "kms:Encrypt": true, "lambda:GetLayerVersion": true,
		"lambda:PutProvisionedConcurrencyConfig": true, "lambda:GetProvisionedConcurrencyConfig": true, "lambda:DeleteProvisionedConcurrencyConfig": true} // what Lambda itself calls for a run, see TestPolicy
	calls.Delete("GetCallerIdentity") // it needs no right
	calls.Range(func(operation, _ any) bool {
		action := map[any]string{"ListStackResources": "cloudformation:ListStackResources", invoke: "lambda:InvokeFunction"}[operation]
		actions[cmp.Or(action, fmt.Sprint("lambda:", operation))] = true
		return true
	})
	if diff := gocmp.Diff(policy(t), slices.Sorted(maps.Keys(actions))); diff != "" {
		t.Errorf("docs/run-policy.json is not what runs call: %s", diff)
	}
	fmt.Fprintln(w, strings.Join(lines, "\n"))
	_ = w.Flush()
	t.Log("\n" + table.String())
}

func measuring(out string, args ...string) []string {
	return append([]string{"run", "--cold", "2", "--warm", "2", "--pace", "1ms", "--seed", "3", "--out", out}, args...)
}

func (s scenario) whole(t *testing.T) string {
	a, out := newTestAccount(t), t.TempDir()
	login := func() {}
	if s.arrange != nil {
		if l := s.arrange(a); l != nil {
			login = l
		}
	}
	status, output := a.run(t, nil, measuring(out, s.args...)...)
	if status != s.status {
		t.Errorf(s.name+": status %d, want %d: %s", status, s.status, output)
	}
	records, _ := os.ReadFile(filepath.Join(out, recordsName))
	file, _ := os.ReadFile(filepath.Join(out, "run.json"))
	all := output + string(records) + string(file)
	for _, want := range s.say {
		if !strings.Contains(all, want) {
			t.Errorf(s.name+": nothing says %q:\n%s\n%s", want, output, file)
		}
	}
	if strings.Contains(all, "s3cret") {
		t.Error(s.name + ": a value of the environment was written")
	}
	if s.loggedOut(login) {
		login()
		if status, output := a.run(t, nil, "run", "--resume", "--out", out); status != exitOK {
			t.Errorf(s.name+": resumed after login: status %d: %s", status, output)
		}
	}
	return fmt.Sprintf("%d\t%d\t%s", status, strings.Count(string(records), "\n"), a.verdict(t, s))
}

func (s scenario) loggedOut(func()) bool { return strings.HasPrefix(s.name, "credentials") }

// calls collects the operations that all runs call.
var calls sync.Map

// policy returns the actions that docs/run-policy.json allows.
func policy(t *testing.T) (actions []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "run-policy.json"))
	var document struct {
		Statement []struct {
			Effect, Resource string
			Action           any
		}
	}
	if err == nil {
		err = json.Unmarshal(text, &document)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range document.Statement {
		if s.Effect != "Allow" || s.Resource != "*" && !strings.HasPrefix(s.Resource, "arn:*:") { // in any partition
			t.Errorf("effect %s on %s", s.Effect, s.Resource)
		}
		if one, is := s.Action.(string); is {
			s.Action = []any{one}
		}
		for _, action := range s.Action.([]any) {
			actions = append(actions, action.(string))
		}
	}
	slices.Sort(actions)
	return actions
}

func (a *testAccount) verdict(t *testing.T, s scenario) string {
	t.Helper()
	for _, c := range a.Calls() {
		calls.Store(c.Operation, true)
	}
	if diff := a.restored(s.foreign); diff != "" {
		t.Errorf(s.name+": functions are not as they were: %s", diff)
		return "changed"
	}
	if s.foreign != nil {
		return "as others left them"
	}
	return "as they were"
}

func (s scenario) killed(t *testing.T) string {
	a, out := newTestAccount(t), t.TempDir()
	login := func() {}
	if s.arrange != nil {
		if l := s.arrange(a); l != nil {
			login = l
		}
	}
	process := make(chan *os.Process, 1)
	a.at(cmp.Or(s.kill, update), "", 4, func() { _ = (<-process).Signal(syscall.SIGKILL) })
	if status, output := a.run(t, func(p *os.Process) { process <- p }, measuring(out, s.args...)...); status != -1 {
		t.Errorf(s.name+": the run was to be killed, its status is %d: %s", status, output)
	}
	keep := 0
	for _, c := range a.List() {
		if c.Environment["TWINSTART_NONCE"] != "" || c.Environment["TWINSTART_PHASES"] != "" {
			keep++
		}
		if versions, err := a.Versions(c.Name); err == nil {
			keep += len(versions) - 1
		}
	}
	status, output := a.run(t, nil, "run", "--resume", "--out", out)
	if status != s.status {
		t.Errorf(s.name+": resumed: status %d, want %d: %s", status, s.status, output)
	}
	if s.loggedOut(login) {
		login()
		if status, output := a.run(t, nil, "run", "--resume", "--out", out); status != exitOK {
			t.Errorf(s.name+": resumed after login: status %d: %s", status, output)
		}
	}
	records, _ := os.ReadFile(filepath.Join(out, recordsName))
	arms := []string{"a/zip", "b/zip", "c/image"}
	if slices.Contains(s.args, "--function") {
		arms = []string{zipA}
	}
	for _, arm := range arms {
		for _, start := range []string{"cold", "warm"} {
			n, want := 0, 2
			if c, _ := a.Function(imageC); c.SnapStart && start == "cold" && arm == "c/image" && s.args == nil {
				want = 4 // two of each kind of restore
			}
			for line := range strings.Lines(string(records)) {
				if strings.Contains(line, `"arm":"`+arm+`"`) && strings.Contains(line, `"start":"`+start) && !strings.Contains(line, `"marked"`) {
					n++
				}
			}
			if n > want || n < want && status == exitOK && s.name != "the service fails once" && s.name != "an environment was initialized ahead" && s.name != "INIT in place of a restore" {
				t.Errorf("%s: resumed, there are %d %s samples of %s", s.name, n, start, arm)
			}
		}
	}
	return fmt.Sprintf("%d\t%d\t%s", keep, status, a.verdict(t, s))
}

// TestArmsThatTwoPatternsName expects that an arm is measured once if two patterns name it.
func TestArmsThatTwoPatternsName(t *testing.T) {
	a := newTestAccount(t)
	status, stdout, stderr := twinstart(t, "run", "--list", "--assembly", a.assembly, "--arms", "a/*,*/zip")
	if status != exitOK || strings.Count(stdout, "a/zip") != 1 || strings.Count(stdout, "b/zip") != 1 || strings.Contains(stdout, "c/image") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
}
