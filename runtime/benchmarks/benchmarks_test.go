//go:build linux

package benchmarks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMistakesInCandidates(t *testing.T) {
	file := filepath.Join(t.TempDir(), "candidates.json")
	for text, want := range map[string]string{
		"rubbish":                                "reading YARDSTICK",
		`[{"name": "a", "argv": ["relative"]}]`:  "absolute path",
		`[{"name": "a", "argv": ["/no/such"]}]`:  "no such file",
		`[{"argv": ["/bin/sh"]}]`:                "wants a name",
		`[{"name": "a", "argv": [], "env": []}]`: "wants a name",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := others(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A program that does not behave as a bootstrap is left out. The error says what it did, with its last output.
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
			values: map[*metric]float64{size: 1, touchedNext: 600, touchedResponse: 651}},
		{candidate: &candidate{name: "nethttp", echoes: true}, samples: map[*metric][]float64{first: many(2), initTime: many(1)}},
	}
	outcomes := map[string]string{}
	for _, g := range goals {
		value, outcome := g.judge(rows)
		outcomes[g.String()], _, _ = strings.Cut(value+" "+outcome, ":")
	}
	for goal, want := range map[string]string{
		"rawsyscall: first response, of nethttp's":                                      "0.5 [0.5, 0.5] met",
		"rawsyscall: touched to the first response, KiB":                                "651 not met",
		"rawsyscall: package, MB":                                                       "1 met",
		"rawsyscall: warm call, of nethttp's":                                           "- not measured",
		"rawsyscall/process: init, of c-glibc-static's":                                 "- not measured",
		"bashtcp-static: first response, of nethttp's":                                  "- not measured",
		"rawsyscall: read to the first response, KiB":                                   "- not measured",
		"rawsyscall: first response at 128 MB, of nethttp's":                            "- not measured",
		"bashtcp-static: touched to the first response, KiB":                            "- not measured",
		"bashtcp-static: read to the first response, KiB, of rust's read to /next, KiB": "- not measured",
	} {
		if outcomes[goal] != want {
			t.Errorf("%s: %q instead of %q", goal, outcomes[goal], want)
		}
	}
}

func TestTable(t *testing.T) {
	text := describe([]*row{
		{candidate: &candidate{name: "rawsyscall"}, samples: map[*metric][]float64{first: {1, 2, 3}},
			values: map[*metric]float64{size: 1.234567, touchedNext: 600, touchedResponse: 651}},
		{candidate: &candidate{name: "nethttp"}, notMeasured: []string{"times: broken"}},
	}, []string{"a note"})
	for _, want := range []string{"2.00", "1235", "600  651", "not measured: nethttp, times: broken", "note: a note"} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
}

// TestLayOut copies packages to another folder: folders and files under their own names, links as the files they lead to.
func TestLayOut(t *testing.T) {
	from := t.TempDir()
	for _, name := range []string{"task/bootstrap", "task/lib/a.sh", "loop.py"} {
		if err := os.MkdirAll(filepath.Join(from, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(from, name), []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("task/bootstrap", filepath.Join(from, "link")); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ files, there []string }{
		"a folder":          {[]string{"task"}, []string{"task/bootstrap", "task/lib/a.sh"}},
		"a program":         {[]string{"link"}, []string{"link"}},
		"files of a folder": {[]string{"loop.py", "task/lib"}, []string{"loop.py", "lib/a.sh"}},
	} {
		c, to := candidate{}, t.TempDir()
		for _, file := range test.files {
			c.files = append(c.files, filepath.Join(from, file))
		}
		if err := c.layOut(to); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, file := range test.there {
			if info, err := os.Lstat(filepath.Join(to, file)); err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o100 == 0 {
				t.Errorf("%s: %s: %v, %v", name, file, info, err)
			}
		}
	}
}

func TestPathsOfOneName(t *testing.T) {
	a, b := filepath.Join(t.TempDir(), "x"), filepath.Join(t.TempDir(), "x")
	for _, file := range []string{a, b} {
		if err := os.WriteFile(file, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := (&candidate{files: []string{a, b}}).layOut(t.TempDir()); err == nil || err.Error() != "two of its paths are named x" {
		t.Errorf("got %v", err)
	}
}
