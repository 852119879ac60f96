package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestPreview(t *testing.T) {
	assembly := assemblyOfTwoArms(t)
	status, stdout, stderr := twinstart(t, "preview", "--assembly", assembly, "--format", "json")
	if status != exitOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	var p preview
	if err := json.Unmarshal([]byte(stdout), &p); err != nil {
		t.Fatal(err)
	}
	if p.Stack != "Twinstart-packaging" || p.Resources["AWS::Lambda::Function"] != 2 || len(p.Monthly) == 0 || len(p.Run) == 0 {
		t.Errorf("got %+v", p)
	}
	status, stdout, _ = twinstart(t, "preview", "--assembly", assembly)
	for _, want := range []string{"2  AWS::Lambda::Function", "with no function running", "3 alarms", "Each run of 60 cold starts", "total"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("status %d, no %q in\n%s", status, want, stdout)
		}
	}
	if status, _, stderr := twinstart(t, "preview", "--assembly", t.TempDir()); status != exitUsage || strings.Count(stderr, "\n") != 1 {
		t.Errorf("without an assembly: status %d: %s", status, stderr)
	}
}

// The default stack is cheap while nobody runs it; all arms are, so two are.
func TestDefaultStackIdlesBelowADollar(t *testing.T) {
	_, stdout, _ := twinstart(t, "preview", "--assembly", assemblyOfTwoArms(t), "--format", "json")
	var p preview
	if err := json.Unmarshal([]byte(stdout), &p); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, l := range p.Monthly {
		sum += l.USD
	}
	if sum <= 0 || sum >= 1 {
		t.Errorf("it costs %.2f USD a month: %+v", sum, p.Monthly)
	}
}

func TestDoctor(t *testing.T) {
	_, stdout, _ := twinstart(t, "doctor", "--local")
	for _, want := range []string{"ok  go ", "images", "root"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	// given neither region nor credentials
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	status, stdout, _ := twinstart(t, "doctor")
	if status != exitFinding || !strings.Contains(stdout, "!!  region         set AWS_REGION") {
		t.Errorf("status %d:\n%s", status, stdout)
	}
}
