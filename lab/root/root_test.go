package root

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Each fact must say exactly one thing, and its source must be described in the file.
func TestReferenceIsWhole(t *testing.T) {
	r := Published()
	used := map[string]bool{}
	for i, f := range r.Facts {
		kinds := 0
		for _, is := range []bool{f.Value != nil, f.Varies, f.Unknown != ""} {
			if is {
				kinds++
			}
		}
		if kinds != 1 || f.Value != nil && len(f.Sources) == 0 {
			t.Errorf("%s: %+v", f.Name, f)
		}
		if f.Value != nil {
			if _, err := regexp.Compile(*f.Value); err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
		}
		for _, s := range f.Sources {
			if used[s] = true; r.Sources[s].Address == "" || r.Sources[s].Date == "" || r.Sources[s].What == "" {
				t.Errorf("%s: no source %s", f.Name, s)
			}
		}
		name, _ := strings.CutSuffix(f.Name, "*")
		if first, _ := r.Find(name); first.Name != f.Name && !slices.ContainsFunc(r.Facts[:i], func(e Fact) bool { return e.Name == name }) {
			t.Errorf("%s is never reached: %s comes first", f.Name, first.Name)
		}
	}
	for s := range r.Sources {
		if !used[s] {
			t.Errorf("nothing is from %s", s)
		}
	}
}

func TestHeld(t *testing.T) {
	r := Published()
	for _, c := range []struct{ name, lab, lambda string }{
		{"/dev/fd", "link to /proc/self/fd", ""},
		{"/dev/shm", "folder", ""},
		{"/dev/null", "file", "character device"},
		{"/dev/stdin", "link to /proc/self/fd/1", "link( to /proc/self/fd/0)?"},
		{"writable /var/task", "yes", "no"},
		{"/bin/sh is Bash", "no", "yes"},
		{"/var/task/lost+found", "folder", ""},
		{"limit open files", "20000 20000", "1024 1024"},
		{"environment TWINSTART", "(set)", ""},
		{"a fact of tomorrow", "x", "not in the reference"},
	} {
		got := r.Held(Listing{c.name: c.lab})
		if i := slices.IndexFunc(got, func(d Difference) bool { return d.Name == c.name }); i < 0 || got[i] != (Difference{c.name, c.lambda, c.lab, ""}) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	missing := r.Held(Listing{})
	for _, name := range []string{"/dev/null", "/dev/stdin", "environment PATH", "descriptor 0", "status Uid"} {
		if !slices.ContainsFunc(missing, func(d Difference) bool { return d.Name == name && d.Lab == "" && d.Reason == "" }) {
			t.Errorf("%s is not missed", name)
		}
	}
}

func TestCompare(t *testing.T) {
	lambda := Listing{"kernel": "5.10", "hostname": "a", "/dev/stdin": "link", "process 1": "init", "/boot": "folder", "program awk": "yes"}
	lab := Listing{"kernel": "6.18", "hostname": "lambda", "/dev/stdin": "link to /proc/self/fd/0", "process 1": "exe", "program awk": "yes", "/dev/fd": "link"}
	want := []Difference{
		{"/boot", "folder", "", ""}, {"/dev/fd", "", "link", ""}, {"hostname", "a", "lambda", ""}, {"process 1", "init", "exe", "the lab's own program starts the bootstrap"},
	}
	if got := Published().Compare(lambda, lab); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	for _, text := range []string{"", "[]", "{}", `{"kernel": 5}`, `{"a": "b"}`, "not JSON", `{"errorMessage": "no handler"}`} {
		if l, err := Parse([]byte(text)); err == nil || l != nil {
			t.Errorf("%q: %v, %v", text, l, err)
		}
	}
}
