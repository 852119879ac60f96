package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/bench/measure/power"
	"github.com/twinstart/twinstart/tools/need"
)

// TestTuneInTheLab tunes a CPU-bound function. As on AWS its CPU share is proportional to the memory up to 1769 MB, so
// more memory shortens the duration and hardly changes the cost. The function is handlers/cpu, 20 ms of Bash
// on a full core.
func TestTuneInTheLab(t *testing.T) {
	t.Parallel()
	need.Time(t)
	dir := t.TempDir()
	function := filepath.Join(dir, "cpu.zip")
	if status, _, stderr := twinstart(t, "package", filepath.Join(repository, "handlers", "cpu"), "--bootstrap", "bashtcp", "-o", function); status != exitOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	input, result := filepath.Join(dir, "input.json"), filepath.Join(dir, "result.json")
	if err := os.WriteFile(input, []byte(`{"num": 10, "powerValues": [128, 256, 512, 1769], "strategy": "speed"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := twinstart(t, "tune", "--assembly", assemblyOfTwoArms(t), "--function", "rawtcp/zip", "--input", input, "--dry-run")
	if status != exitOK || !strings.Contains(stdout, "4 power values, 40 invocations") {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	status, stdout, stderr = twinstart(t, "tune", "--function", function, "--input", input, "--json", result, "--seed", "3")
	if status != exitOK {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	for _, want := range []string{"on lab", "seed 3", "<- best", "tttttttttt", "cccccccccc", "Set the memory to", power.VisualizationBase + "#"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in %s", want, stdout)
		}
	}
	text, err := os.ReadFile(result)
	if err != nil {
		t.Fatal(err)
	}
	var out power.Output
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	if out.Source != "lab" || len(out.ByPowerValue) != 4 {
		t.Fatalf("got %s", text)
	}
	at := map[int]power.Value{}
	for _, v := range out.ByPowerValue {
		if at[v.Value] = v; v.Failed != "" || v.Invocations != 10 || v.ColdStarts != 1 {
			t.Fatalf("got %+v", v)
		}
	}
	p50 := func(memory int) float64 { return at[memory].Handler.P50 }
	// No time is asserted, because a busy machine slows the larger size more: lab's TestCPUQuotaFallsOnTheInvocation
	// reads the quotas.
	t.Logf("ms: %v %v %v %v; $ per million: %.3f %.3f %.3f", p50(128), p50(256), p50(512), p50(1769), at[128].AveragePrice*1e6, at[256].AveragePrice*1e6, at[512].AveragePrice*1e6)
	status, stdout, stderr = twinstart(t, "tune", "--function", function, "--clean")
	if status != exitOK || !strings.Contains(stdout, "has nothing left from a tuning") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
}

func TestTuneMistakes(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.json", `{"num": 5}`)
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"no function, flags": {[]string{"--num", "5"}, []string{"lambdaARN is missing"}},
		"none":               {[]string{"--function", "F", "--num", "0"}, []string{"num is 0"}},
		"few":                {[]string{"--function", "F", "--num", "4"}, []string{"num is 4"}},
		"powers":             {[]string{"--function", "F", "--powers", "128,x"}, []string{"powerValues holds the text \"x\""}},
		"fail on":            {[]string{"--function", "F", "--fail-on", "best>1"}, []string{"--fail-on", "best moved"}},
		"events absent":      {[]string{"--function", "F", "--events", filepath.Join(dir, "none")}, []string{"--events"}},
		"events":             {[]string{"--function", "F", "--events", file("e.jsonl", "{}\n{\n")}, []string{"e.jsonl:2 is not JSON"}},
		"events empty":       {[]string{"--function", "F", "--events", file("n.jsonl", "\n")}, []string{"holds no event"}},
		"both":               {[]string{"--function", "F", "--events", good, "--payload", good}, []string{"can't be used together"}},
		"role":               {[]string{"--function", "F", "--assume-role", "admin"}, []string{"assumeRoleARN", "arn:aws:iam::ACCOUNT:role/NAME"}},
		"out":                {[]string{"--function", "F", "--input", good, "--assembly", assemblyOfTwoArms(t), "--function", "rawtcp/zip", "--out", dir}, []string{"neither a file nor an arm"}},
		"input absent":       {[]string{"--function", "F", "--input", filepath.Join(dir, "absent")}, []string{"--input", "absent"}},
		"mistakes":           {[]string{"--function", "F", "--input", file("bad.json", `{"num": 1, "strategy": "best"}`)}, []string{"2 mistakes", "num is 1", "strategy"}},
		"no function":        {[]string{"--input", good}, []string{"lambdaARN is missing"}},
		"payload absent":     {[]string{"--function", "F", "--input", good, "--payload", filepath.Join(dir, "none")}, []string{"--payload", "none"}},
		"payload weights":    {[]string{"--function", "F", "--input", good, "--payload", file("p.json", `[{"payload": 1, "weight": 0}]`)}, []string{"--payload", "above 0"}},
		"no assembly":        {[]string{"--function", "F", "--input", good, "--assembly", dir}, []string{"cdk synth"}},
		"no region":          {[]string{"--source", "aws", "--function", "F", "--input", good}, []string{"AWS_REGION"}},
		"clean whose?":       {[]string{"--clean"}, []string{"lambdaARN is missing"}},
		"function foreign":   {[]string{"--function", "F", "--input", good, "--assembly", assemblyOfTwoArms(t)}, []string{"F is neither a file nor an arm", "rawtcp/zip"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"} {
				t.Setenv(v, "")
			}
			t.Setenv("AWS_CONFIG_FILE", os.DevNull)
			status, stdout, stderr := twinstart(t, append([]string{"tune"}, test.args...)...)
			last := stderr[strings.LastIndex(strings.TrimSuffix(stderr, "\n"), "\n")+1:]
			if status != exitUsage || stdout != "" || !strings.HasPrefix(last, "twinstart: ") {
				t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
			}
			for _, want := range test.want {
				if !strings.Contains(last, want) {
					t.Errorf("%q does not say %q", last, want)
				}
			}
		})
	}
}
