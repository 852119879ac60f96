package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/lab"
)

// The default stack must cost less than a dollar a month while nobody runs it. The test takes two of its arms; the third
// function is the tuner's.
func TestPreview(t *testing.T) {
	assembly := assemblyOfTwoArms(t)
	status, stdout, stderr := twinstart(t, "preview", "--assembly", assembly)
	for _, want := range []string{"Stack Twinstart-packaging", "3  AWS::Lambda::Function", "with no function running", "3 alarms", "Each run of 60 cold starts"} {
		if status != exitOK || !strings.Contains(stdout, want) {
			t.Errorf("status %d, no %q in\n%s%s", status, want, stdout, stderr)
		}
	}
	totals := regexp.MustCompile(`(?m)^ *([0-9.]+) +total`).FindAllStringSubmatch(stdout, -1)
	if len(totals) != 2 {
		t.Fatalf("want the totals of a month and of a run:\n%s", stdout)
	}
	if usd, err := strconv.ParseFloat(totals[0][1], 64); err != nil || usd <= 0 || usd >= 1 {
		t.Errorf("it costs %.2f USD a month: %s", usd, stdout)
	}
	if status, _, stderr := twinstart(t, "preview", "--assembly", t.TempDir()); status != exitUsage || strings.Count(stderr, "\n") != 1 {
		t.Errorf("without an assembly: status %d: %s", status, stderr)
	}
}

func TestDoctor(t *testing.T) {
	_, stdout, _ := twinstart(t, "doctor", "--local")
	for _, want := range []string{"ok  go ", "images", "lab"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	t.Chdir(t.TempDir()) // outside a clone nobody needs the CDK
	if status, stdout, _ := twinstart(t, "doctor", "--local"); status != exitOK {
		t.Errorf("status %d without a clone:\n%s", status, stdout)
	}
	// without a region and credentials
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	status, stdout, stderr := twinstart(t, "doctor")
	for _, want := range []string{"!! region set AWS_REGION", "!! credentials none that work"} {
		if !strings.Contains(list.OneLine(stdout), want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if status != exitFinding || stderr != "" {
		t.Errorf("status %d, standard error %q", status, stderr)
	}
}

// cdk.json says which of an account's bootstrap stacks counts.
func TestDoctorKnowsTheQualifier(t *testing.T) {
	for text, want := range map[string]string{
		"":                plainQualifier,
		"{":               plainQualifier,
		`{"context": {}}`: plainQualifier,
		`{"context": {"@aws-cdk/core:bootstrapQualifier": "team1"}}`: "team1",
		`{"context": {"@aws-cdk/core:bootstrapQualifier": 1}}`:       plainQualifier,
	} {
		t.Chdir(t.TempDir())
		if text != "" {
			if err := os.WriteFile("cdk.json", []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := qualifier(); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// A program that exists may be too old, or may not run.
func TestDoctorLooksAtPrograms(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	for _, c := range []struct {
		script string
		want   finding
	}{
		{"", finding{without, "tool", "install it"}},
		{"echo tool go1.26.8", finding{fine, "tool", "tool go1.26.8"}},
		{"echo v26.0", finding{fine, "tool", "v26.0"}},
		{"echo of no version", finding{fine, "tool", "of no version"}},
		{"echo v1.9.26", finding{without, "tool", "v1.9.26 is too old: install it"}},
		{"echo no libc >&2; exit 1", finding{without, "tool", filepath.Join(dir, "tool") + " does not run (no libc): install it"}},
		{"exit 3", finding{without, "tool", filepath.Join(dir, "tool") + " does not run (exit status 3): install it"}},
	} {
		if c.script != "" {
			if err := os.WriteFile(filepath.Join(dir, "tool"), []byte("#!/bin/sh\n"+c.script+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if got := (tool{"tool", []string{"--version"}, "1.26", without, "install it"}).look(t.Context()); got != c.want {
			t.Errorf("%q: got %v, want %v", c.script, got, c.want)
		}
	}
}

// A user who may only assume the CDK's roles can deploy, but may not read the bootstrap's parameter. That is not a
// finding.
func TestDoctorOfWhoMayAssumeRolesOnly(t *testing.T) {
	for code, want := range map[string]state{"ParameterNotFound": needed, "AccessDeniedException": without} {
		aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"__type": %q, "message": "no"}`, code)
		}))
		for name, value := range map[string]string{
			"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PROFILE": "", "AWS_ENDPOINT_URL": aws.URL,
			"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-west-1",
		} {
			t.Setenv(name, value)
		}
		cfg, err := account.Config(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := bootstrapped(t.Context(), cfg, "111122223333"); got.state != want || strings.Contains(got.detail, "\n") {
			t.Errorf("%s: %v, want %s", code, got, want)
		}
		aws.Close()
	}
}

// A listing from Lambda is compared with the lab. Each fact that differs gets a line.
func TestDoctorComparesRoots(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, text := range map[string]string{"cut": `{"kernel": "5.10`, "error": `{"errorMessage": "x"}`, "list": `["kernel"]`, "empty": ""} {
		if status, _, stderr := twinstart(t, "doctor", "--root", write(name, text)); status != exitUsage || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "an answer of handlers/inspect") {
			t.Errorf("%s: status %d: %s", name, status, stderr)
		}
	}
	if status, _, stderr := twinstart(t, "doctor", "--root", filepath.Join(dir, "absent")); status != exitUsage || !strings.Contains(stderr, "reading a listing: open ") {
		t.Errorf("absent: status %d: %s", status, stderr)
	}
	lab, err := lab.Inspect(lab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	listing := func() string { text, _ := json.Marshal(lab); return write("listing", string(text)) }
	if status, stdout, stderr := twinstart(t, "doctor", "--root", listing()); status != exitOK || !strings.HasSuffix(stdout, ": 0 differ, 0 of them for no known reason\n") {
		t.Errorf("the lab's own: status %d: %s%s", status, stdout, stderr)
	}
	lab["process 1"], lab["hostname"], lab["/dev/shm"] = "init", "169.254.1.1", "folder"
	delete(lab, "/dev/full")
	status, stdout, _ := twinstart(t, "doctor", "--root", listing())
	for _, want := range []string{
		"!!  /dev/full: nothing on Lambda, character device in the lab\n", "!!  /dev/shm: folder on Lambda, nothing in the lab\n", "!!  hostname: 169.254.1.1 on Lambda, lambda in the lab\n",
		"--  process 1: init on Lambda, exe in the lab (the lab's own program starts the bootstrap)\n", "4 differ, 3 of them",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if status != exitFinding {
		t.Errorf("status %d", status)
	}
}
