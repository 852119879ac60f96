package main

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/bench/measure/power"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/lab/api/double"
)

// TestTuneAlone tunes with the binary, credentials and a function's ARN: without an assembly, an input or a region.
// report, compare and plan can read the records.
func TestTuneAlone(t *testing.T) {
	t.Chdir(t.TempDir())
	d := double.New(double.Configuration("orders", 1024))
	d.Run = func(r double.Run) double.Answer {
		time.Sleep(3 * time.Millisecond) // so that the invocations of a round overlap
		return double.Working(r)
	}
	server := httptest.NewServer(d)
	defer server.Close()
	for name, value := range map[string]string{"AWS_ENDPOINT_URL_LAMBDA": server.URL, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_CONFIG_FILE": os.DevNull,
		"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": ""} {
		t.Setenv(name, value)
	}
	tune := []string{"tune", "--function", "arn:aws:lambda:eu-west-1:123456789012:function:orders"}
	status, stdout, stderr := twinstart(t, append(tune, "--dry-run")...)
	if status != exitOK || !strings.Contains(stdout, "6 power values, 300 invocations") {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	tune = append(tune, "--powers", "128,512,1024,1769", "--num", "12")
	status, stdout, stderr = twinstart(t, append(tune, "--out", "tuning", "--json", "before.json", "--fail-on", "best moved>2%", "--strategy", "speed")...)
	if status != exitFinding || !strings.Contains(stderr, "best moved: orders from 1024 to 1769 MB, 42.1 % better by speed") || !strings.Contains(stdout, "Set the memory to 1769 MB") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	for _, c := range d.Calls() {
		if c.Region != "eu-west-1" {
			t.Fatalf("%s was signed for %q", c, c.Region)
		}
	}
	if d.Widest() < 2 {
		t.Error("power values were measured one after the other")
	}
	status, stdout, stderr = twinstart(t, append(tune, "--out", "again", "--fail-on", "best moved>50%", "--strategy", "speed")...)
	if status != exitOK {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	if status, _, stderr = twinstart(t, append(tune, "--out", "again", "--streamed", "--strategy", "speed")...); status != exitOK || !strings.Contains(stderr, "the earlier run is kept in again/earlier/cli-") {
		t.Errorf("a folder of another run: status %d: %s", status, stderr)
	}
	if err := os.WriteFile("cold.json", []byte(`{"onlyColdStarts": true, "num": 12, "powerValues": [128, 512]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr = twinstart(t, "tune", "--function", tune[2], "--input", "cold.json", "--out", "cold"); status != exitOK {
		t.Errorf("cold: status %d: %s", status, stderr)
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"report", "tuning/records.jsonl"}, []string{"orders@128", "orders@1769", "measured at AWS_ENDPOINT_URL, which may not be AWS"}},
		{[]string{"compare", "tuning", "again"}, []string{"orders@512"}},
		{[]string{"plan", "--effect", "5%", "--from", "cold/records.jsonl"}, []string{"orders"}},
	} {
		status, stdout, stderr := twinstart(t, c.args...)
		if status != exitOK {
			t.Errorf("%q: status %d: %s", c.args, status, stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(stdout, want) {
				t.Errorf("%q does not say %q: %s", c.args, want, stdout)
			}
		}
	}
	var run runfile.Run
	if text, err := os.ReadFile("tuning/run.json"); err != nil || json.Unmarshal(text, &run) != nil || run.Seed == 0 || run.Source != "aws" || run.Region != "eu-west-1" || run.EndedAt.IsZero() || len(run.Versions) == 0 {
		t.Errorf("%v: run.json has %+v", err, run)
	}
	text, err := os.ReadFile("before.json")
	var out power.Output
	if err != nil || json.Unmarshal(text, &out) != nil || out.Memory != 1024 || out.Power != 1769 {
		t.Errorf("%v: %s", err, text)
	}
	c, err := d.Function("orders")
	if err != nil || c.MemorySizeMB != 1024 || len(c.Environment) != 1 {
		t.Errorf("left %+v, %v", c, err)
	}
}
