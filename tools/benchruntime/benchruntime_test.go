//go:build linux

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/probe"
)

// Requests arrive as they please: in pieces, several at once, chunked, and as rubbish.
func TestParse(t *testing.T) {
	const plain = "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
	const chunked = "POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nTrailer: 1\r\n\r\n"
	for _, text := range []string{plain, chunked} {
		for cut := range text {
			if r, _, err := parse([]byte(text[:cut])); r != nil || err != nil {
				t.Fatalf("%q cut at %d: %v, %v", text, cut, r, err)
			}
		}
		r, used, err := parse([]byte(text + "GET"))
		if err != nil || r == nil || used != len(text) || string(r.body) != "abc" {
			t.Errorf("%q: %+v, used %d, %v", text, r, used, err)
		}
	}
	for _, bad := range []string{"hello\r\n\r\n", "POST /a HTTP/1.1\r\nContent-Length: -1\r\n\r\n", strings.Replace(chunked, "2\r\n", "zz\r\n", 1)} {
		if _, _, err := parse([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

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

// A row that answers nothing sits out; what ended it is told with its last words.
func TestBrokenCandidate(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "bootstrap")
	if err := os.WriteFile(file, []byte("#!/bin/sh\necho about to end >&2\nexec 3<>/dev/null\nsleep 60\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	api, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	defer api.close()
	p, err := start(&candidate{name: "broken", argv: []string{file}, dir: dir}, api.address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.wait(p.started.Add(200e6)); err == nil {
		t.Error("a request came")
	}
	if wrote := p.end(); !strings.Contains(wrote, "about to end") {
		t.Errorf("wrote %q", wrote)
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
		{candidate: &candidate{name: "rawsyscall", echoes: true}, first: many(1), init: many(1), bytes: 1_000_000,
			reads: map[int]probe.Reads{0: {First: &probe.Count{PackageKiB: 651}}}},
		{candidate: &candidate{name: "nethttp", echoes: true}, first: many(2), init: many(1)},
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
