//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/bench/show/table"
)

func TestMistakesAreTheUsers(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) string {
		file := filepath.Join(dir, "candidates.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for _, args := range [][]string{{"-format", "xml"}, {"-rounds", "1"}, {"-calls", "0"}, {"-nonsense"}, {"argument"}} {
		var wrong *usageError
		if err := run(t.Context(), args, &bytes.Buffer{}, &bytes.Buffer{}); !errors.As(err, &wrong) {
			t.Errorf("%q: %v", args, err)
		}
	}
	for text, want := range map[string]string{
		"rubbish":                                "reading YARDSTICK",
		`[{"name": "a", "argv": ["relative"]}]`:  "absolute path",
		`[{"name": "a", "argv": ["/no/such"]}]`:  "no such file",
		`[{"argv": ["/bin/sh"]}]`:                "wants a name",
		`[{"name": "a", "argv": [], "env": []}]`: "wants a name",
	} {
		if _, err := others(write(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A row that does not do as a bootstrap does sits out; what it did is told with its last words.
func TestBrokenCandidate(t *testing.T) {
	defer func(before time.Duration) { limit = before }(limit)
	limit = time.Second
	const open = "exec 3<>/dev/tcp/${AWS_LAMBDA_RUNTIME_API/:/\\/}\n"
	for name, test := range map[string]struct{ script, want string }{
		"ends": {"echo about to end >&2\n", "waiting for GET /invocation/next: no request in time; it wrote: about to end"},
		"reports an error": {open + "printf 'POST /2018-06-01/runtime/init/error HTTP/1.1\\r\\nContent-Length: 2\\r\\n\\r\\n{}' >&3\nread -r line <&3\n",
			"got POST /init/error instead of GET /invocation/next: {}"},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "bootstrap")
		if err := os.WriteFile(file, []byte("#!/bin/bash\n"+test.script), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := session(&candidate{name: "broken", argv: []string{file}, dir: dir}, 0, start, phase{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGoals(t *testing.T) {
	many := func(ms float64) (all []float64) {
		for i := range 40 {
			all = append(all, ms*(1+float64(i)/1000))
		}
		return all
	}
	rows := []*row{
		{candidate: &candidate{name: "rawsyscall", echoes: true}, samples: map[*metric][]float64{first: many(1), initTime: many(1)},
			values: map[*metric]float64{sizeMB: 1, touchedNext: 600, touchedResponse: 651}},
		{candidate: &candidate{name: "nethttp", echoes: true}, samples: map[*metric][]float64{first: many(2), initTime: many(1)}},
	}
	outcomes := map[string]string{}
	for _, f := range findings(rows) {
		outcomes[f.Goal] = f.Outcome
	}
	for goal, want := range map[string]string{
		"rawsyscall: first response, of nethttp's":                                      "met",
		"rawsyscall: touched to the first response, KiB":                                "not met",
		"rawsyscall: package, MB":                                                       "met",
		"rawsyscall: warm call, of nethttp's":                                           "not measured",
		"rawsyscall/process: init, of c-glibc-static's":                                 "not measured",
		"bashtcp-static: first response, of nethttp's":                                  "not measured",
		"rawsyscall: read to the first response, KiB":                                   "not measured",
		"rawsyscall: first response at 128 MB, of nethttp's":                            "not measured",
		"bashtcp-static: touched to the first response, KiB":                            "not measured",
		"bashtcp-static: read to the first response, KiB, of rust's read to /next, KiB": "not measured",
	} {
		if outcomes[goal] != want {
			t.Errorf("%s: %q instead of %q", goal, outcomes[goal], want)
		}
	}
}

// Every metric that was measured is in the table and in the JSON, and no other.
func TestReport(t *testing.T) {
	rows := []*row{
		{candidate: &candidate{name: "rawsyscall"}, samples: map[*metric][]float64{first: {1, 2, 3}},
			values: map[*metric]float64{size: 1_234_567, touchedNext: 600, touchedResponse: 651}},
		{candidate: &candidate{name: "nethttp"}, notMeasured: []string{"times: broken"}},
	}
	r := report(rows, plan{rounds: 3}, nil)
	var text, encoded bytes.Buffer
	if err := errors.Join(r.text(&text), table.JSON(&encoded, r)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2.00", "1235", "600  651", "not measured: nethttp, times: broken"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, text.String())
		}
	}
	var got struct{ Rows []map[string]any }
	if err := json.Unmarshal(encoded.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{
		{"name": "rawsyscall", "firstResponseMs": map[string]any{"median": 2.0, "n": 3.0}, "bytes": 1_234_567.0,
			"touchedKiBToNext": 600.0, "touchedKiBToFirstResponse": 651.0},
		{"name": "nethttp", "notMeasured": []any{"times: broken"}},
	}
	if diff := cmp.Diff(want, got.Rows); diff != "" {
		t.Error(diff)
	}
}
