package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/measure/schedule"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// TestLoadMistakes expects one line and status 2 for each load that cannot be sent.
func TestLoadMistakes(t *testing.T) {
	dir := t.TempDir()
	artillery := func(name, phases string) string {
		return write(t, filepath.Join(dir, name+".yml"), "config:\n  phases:\n"+phases)
	}
	for args, want := range map[string]string{
		"--rate 0/s":                             "no request: raise its rate",
		"--rate ten/s":                           `--rate "ten/s": want a rate`,
		"--rate 10/day":                          "want a rate, such as 10/s",
		"--rate NaN":                             "want a rate",
		"--rate 1e9/s":                           "up to 100000/s",
		"--rate=-5/s":                            "want a rate",
		"--ramp 10-100/60s":                      "want FROM:TO/TIME",
		"--ramp 10:100":                          "want FROM:TO/TIME",
		"--ramp 10:100/0s":                       "want FROM:TO/TIME",
		"--ramp 0:0/60s":                         "no request",
		"--rate 10 --ramp 1:2/3s":                "--rate and --ramp can't be used together",
		"--rate 10 --requests 5":                 "--requests and --rate can't be used together",
		"--artillery x --concurrency 5":          "--concurrency and --artillery can't be used together",
		"--for 1h":                               "give its --rate",
		"--poisson --requests 5":                 "give its --rate",
		"--rate 1 --for 25h":                     "want a time from 0 to 24h",
		"--rate 1 --max-in-flight 0":             "--max-in-flight 0",
		"--requests=-1":                          "--requests -1",
		"--requests 0":                           "--requests 0 --concurrency 10: want 1 or more",
		"--concurrency 0":                        "--concurrency 0: want 1 or more",
		"--via moon":                             "invoke",
		"--artillery absent.yml":                 "absent.yml",
		"--artillery " + artillery("none", ""):   "no config.phases",
		"--artillery " + write(t, dir+"/t", "["): "reading",
		"--artillery " + artillery("no", "    - {duration: 60, arrivalRate: 0}"):                "no request",
		"--artillery " + artillery("text", "    - {duration: 60, arrivalRate: many}"):           "cannot unmarshal !!str `many`: want an Artillery file",
		"--artillery " + artillery("less", "    - {duration: 60, arrivalRate: -1}"):             "and 0 to",
		"--artillery " + artillery("long", "    - {duration: forever, arrivalRate: 1}"):         `phase 1 lasts "forever"`,
		"--artillery " + artillery("both", "    - {duration: 60, arrivalCount: 5}"):             "want a phase with duration and arrivalRate",
		"--artillery " + artillery("minus", "    - {duration: 60, arrivalRate: 1, rampTo: -5}"): "and 0 to",
		"--artillery " + artillery("now", "    - {duration: 0, arrivalRate: 5}"):                "and 0 to",
		"--artillery " + artillery("never", "    - {arrivalRate: 1}"):                           "phase 1: want a phase with duration",
		"--resume --out " + dir: "nothing to resume",
		"--qualifier live":      "--qualifier live is only for a load on a deployed function",
	} {
		status, stdout, stderr := twinstart(t, append([]string{"load"}, strings.Fields(args)...)...)
		if line, rest, _ := strings.Cut(stderr, "\n"); status != exitUsage || stdout != "" || rest != "" || !strings.Contains(line, want) {
			t.Errorf("%s: status %d, %q, want %q", args, status, stderr, want)
		}
	}
}

func TestLoads(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "load.yml"), `config:
  target: https://example.com
  phases:
    - {name: warm up, duration: 2m, arrivalRate: 5, maxVusers: 50}
    - {duration: 60, arrivalRate: 10, rampTo: 100}
scenarios: [{flow: [{get: {url: /}}]}]
`)
	const most = 1000
	stage := func(name string, from, to float64, long time.Duration) schedule.Stage {
		return schedule.Stage{Name: name, From: from, To: to, For: long}
	}
	poisson := stage("120/m", 2, 2, time.Minute)
	poisson.Poisson = true
	for _, test := range []struct {
		args, says, warns string
		want              measure.Load
	}{
		{"", "500 requests at concurrency 10", "", measure.Load{Requests: 500, Concurrency: 10}},
		{"--requests 20 --concurrency 4 --via url", "20 requests at concurrency 4", "", measure.Load{Requests: 20, Concurrency: 4, ViaURL: true}},
		{"--rate 120/m --poisson", "120/m in 1m0s, Poisson", "", measure.Load{Stages: []schedule.Stage{poisson}, MaxInFlight: most}},
		{"--rate 1,10/s --for 30s --max-in-flight 5", "1, 10/s in 1m0s", "", measure.Load{MaxInFlight: 5, Stages: []schedule.Stage{stage("1", 1, 1, 30*time.Second), stage("10/s", 10, 10, 30*time.Second)}}},
		{"--ramp 100:0/60s", "100:0/60s in 1m0s", "", measure.Load{Stages: []schedule.Stage{stage("100:0/60s", 100, 0, time.Minute)}, MaxInFlight: most}},
		{"--artillery " + file, "load.yml in 3m0s", "these parts are ignored: config.target, scenarios, warm up's maxVusers\n", measure.Load{MaxInFlight: most, Stages: []schedule.Stage{
			stage("warm up", 5, 5, 2*time.Minute), stage("phase 2", 10, 100, time.Minute)}}},
	} {
		var c loadCommand
		if _, err := kong.Must(&c).Parse(strings.Fields(test.args)); err != nil {
			t.Fatal(err)
		}
		var warned strings.Builder
		test.want.Of = test.says
		got, err := c.schedule(streams{err: &warned})
		if err != nil {
			t.Errorf("%s: %v", test.args, err)
			continue
		}
		if diff := cmp.Diff(&test.want, got); diff != "" || !strings.HasSuffix(warned.String(), test.warns) || (test.warns == "") != (warned.Len() == 0) {
			t.Errorf("%s: %s, warned %q: %s", test.args, got.Of, warned.String(), diff)
		}
	}
}

// TestLoadInAnAccount expects that a load loses no record when credentials expire, and continues after login.
func TestLoadInAnAccount(t *testing.T) {
	a, out := newTestAccount(t), t.TempDir()
	login := refuseFrom(invoke, 40, double.Expired())(a)
	load := func(args ...string) (int, string) {
		return a.run(t, nil, append([]string{"load", "--out", out, "--pace", "1ms"}, args...)...)
	}
	status, output := load("--requests", "12", "--concurrency", "3", "--repeats", "2", "--seed", "5")
	if status != exitIncomplete || !strings.Contains(output, "ExpiredTokenException") || !strings.Contains(output, "twinstart load --resume --out ") {
		t.Fatalf("status %d: %s", status, output)
	}
	if n := lines(t, out); n < 37 || n > 39 {
		t.Errorf("%d records of the 39 requests that were answered", n)
	}
	login()
	if status, output := a.run(t, nil, "run", "--resume", "--out", out); status != exitUsage || !strings.Contains(output, "resume it with twinstart load") {
		t.Errorf("a load resumed as a run: status %d: %s", status, output)
	}
	if status, output = load("--resume"); status != exitOK || lines(t, out) != 2*3*12 {
		t.Errorf("resumed: status %d, %d records: %s", status, lines(t, out), output)
	}
	text, err := os.ReadFile(filepath.Join(out, "report.txt"))
	for _, want := range []string{"Which is fastest?", "What do callers wait?", "0 failed, closed", "went on after"} {
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("the report does not say %q: %v %s", want, err, text)
		}
	}
	if diff := a.restored(nil); diff != "" {
		t.Errorf("functions are not as they were: %s", diff)
	}
	if status, output := load("--function", zipA); status != exitUsage || !strings.Contains(output, "may have callers") {
		t.Errorf("a function with callers: status %d: %s", status, output)
	}
}

// TestLoadOfAnAlias expects that a load calls the version behind an alias, changes nothing, and needs no --force-cold.
func TestLoadOfAnAlias(t *testing.T) {
	for _, provisioned := range []string{zipA, ""} {
		a, out := newTestAccount(t), t.TempDir()
		if a.provisioned = provisioned; provisioned == "" {
			a.provisioned = "none"
		}
		if _, err := a.Publish(zipA, api.Publication{}); err != nil {
			t.Fatal(err)
		}
		a.Alias(zipA, "live", "1")
		a.Change(zipA, func(c *api.Configuration) { c.MemorySizeMB = 1024 })
		status, output := a.run(t, nil, "load", "--out", out, "--function", zipA, "--qualifier", "live", "--requests", "12", "--concurrency", "3")
		if status != exitOK || lines(t, out) != 12 || a.Count(update)+a.Count(publish) != 0 {
			t.Errorf("status %d, %d records, %d updates: %s", status, lines(t, out), a.Count(update), output)
		}
		for _, c := range a.Calls() {
			if c.Operation == invoke && c.Qualifier != "live" {
				t.Errorf("called %q", c.Qualifier)
			}
		}
		text, err := os.ReadFile(filepath.Join(out, recordsName))
		if n := strings.Count(string(text), `"initializationType":"provisioned-concurrency"`); err != nil || (n > 0) != (provisioned != "") || !strings.Contains(string(text), `"memorySizeMB":512`) {
			t.Errorf("%q: %d of provisioned environments, %v: %s", provisioned, n, err, text)
		}
	}
	a := newTestAccount(t)
	if status, output := a.run(t, nil, "run", "--function", zipA, "--qualifier", "live"); status != exitUsage || !strings.Contains(output, "only cold starts of $LATEST can be forced") {
		t.Errorf("cold starts of an alias: status %d: %s", status, output)
	}
	if status, output := a.run(t, nil, "load", "--function", zipA, "--qualifier", "gone"); status != exitUsage || !strings.Contains(output, "gone") {
		t.Errorf("no such alias: status %d: %s", status, output)
	}
}

func lines(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, recordsName))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n")
}

// TestLoadInTheLab sends a ramp by URL and a closed load by Invoke, and interrupts a third load.
func TestLoadInTheLab(t *testing.T) {
	inEmptyFolder(t)
	handlerFolder(t, "mine")
	packed := []string{"load", "mine", "--bootstrap", "bashtcp", "--out", "out"}
	if status, stdout, stderr := twinstart(t, append(packed, "--ramp", "50:150/300ms", "--via", "url")...); status != exitOK || lines(t, "out") != 30 ||
		!strings.Contains(stdout, "What do callers wait?") {
		t.Errorf("by URL: status %d: %s%s", status, stdout, stderr)
	}
	if status, stdout, stderr := twinstart(t, append(packed, "--requests", "60", "--concurrency", "3", "--full")...); status != exitOK || lines(t, "out") != 60 || !strings.Contains(strings.Join(strings.Fields(stdout), " "), "closed loop, 3 environments") {
		t.Errorf("closed: status %d: %s%s", status, stdout, stderr)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	var stdout, stderr strings.Builder
	if status := run(ctx, append(packed, "--rate", "20/s", "--for", "1h"), &stdout, &stderr); status != exitInterrupted || !strings.Contains(stderr.String(), "twinstart load --resume") {
		t.Errorf("interrupted: status %d: %s%s", status, stdout.String(), stderr.String())
	}
}
