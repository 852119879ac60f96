package root_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/root"
)

// reference is the content of lambda.json.
type reference struct {
	Sources map[string]struct{ Address, Date, What string }
	Facts   []fact
}

// fact says what Lambda has under a name.
type fact struct {
	root.Fact
	// Exactly one of Value, Unknown and the Fact's Varies is set. Value is a regular expression for the whole value. It
	// is "" if Lambda has nothing under this name. If nobody has published the value, Unknown says why the lab has its own.
	Value   *string
	Unknown string
	Sources []string
}

func published(t *testing.T) (r reference) {
	t.Helper()
	text, err := os.ReadFile("lambda.json")
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r reference) find(name string) (fact, bool) {
	i := slices.IndexFunc(r.Facts, func(f fact) bool { return f.Matches(name) })
	if i < 0 {
		return fact{}, false
	}
	return r.Facts[i], true
}

// held returns the differences between a lab's listing and the reference.
func (r reference) held(lab root.Listing) (differ []root.Difference) {
	for _, name := range slices.Sorted(maps.Keys(lab)) {
		f, ok := r.find(name)
		switch {
		case !ok:
			differ = append(differ, root.Difference{Name: name, Lambda: "not in the reference", Lab: lab[name]})
		case f.Value != nil && !regexp.MustCompile("^(?:"+*f.Value+")$").MatchString(lab[name]):
			differ = append(differ, root.Difference{Name: name, Lambda: *f.Value, Lab: lab[name], Reason: f.Lab})
		}
	}
	for _, f := range r.Facts {
		if _, ok := lab[f.Name]; !ok && f.Value != nil && *f.Value != "" && !strings.HasSuffix(f.Name, "*") {
			differ = append(differ, root.Difference{Name: f.Name, Lambda: *f.Value, Reason: f.Lab})
		}
	}
	return differ
}

// The lab's root must be Lambda's, entry by entry, except where the reference gives a reason.
func TestRootIsLambdas(t *testing.T) {
	listing, err := lab.Inspect(lab.Options{ReadAheadKiB: lab.DefaultReadAheadKiB})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range published(t).held(listing) {
		if d.Reason == "" {
			t.Errorf("%s: Lambda has %q, the lab %q", d.Name, d.Lambda, d.Lab)
		}
	}
}

// Each fact must be of exactly one kind, and the file must describe each of its sources.
func TestReferenceIsWhole(t *testing.T) {
	r := published(t)
	used := map[string]bool{}
	for i, f := range r.Facts {
		kinds := 0
		for _, is := range []bool{f.Value != nil, f.Varies, f.Unknown != ""} {
			if is {
				kinds++
			}
		}
		if kinds != 1 || f.Value != nil && len(f.Sources) == 0 {
			t.Errorf("%s is of %d kinds, want one, and a value needs a source: %+v", f.Name, kinds, f)
		}
		if f.Value != nil {
			if _, err := regexp.Compile(*f.Value); err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
		}
		for _, s := range f.Sources {
			if used[s] = true; r.Sources[s].Address == "" || r.Sources[s].Date == "" || r.Sources[s].What == "" {
				t.Errorf("%s: the file does not describe its source %s", f.Name, s)
			}
		}
		name, _ := strings.CutSuffix(f.Name, "*")
		if first, _ := r.find(name); first.Name != f.Name && !slices.ContainsFunc(r.Facts[:i], func(e fact) bool { return e.Name == name }) {
			t.Errorf("%s is never found: %s comes first and matches too", f.Name, first.Name)
		}
	}
	for s := range r.Sources {
		if !used[s] {
			t.Errorf("no fact names the source %s", s)
		}
	}
}

func TestDifferencesFromTheReference(t *testing.T) {
	r := published(t)
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
		got := r.held(root.Listing{c.name: c.lab})
		if i := slices.IndexFunc(got, func(d root.Difference) bool { return d.Name == c.name }); i < 0 || got[i] != (root.Difference{c.name, c.lambda, c.lab, ""}) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	missing := r.held(root.Listing{})
	for _, name := range []string{"/dev/null", "/dev/stdin", "environment PATH", "descriptor 0", "status Uid"} {
		if !slices.ContainsFunc(missing, func(d root.Difference) bool { return d.Name == name && d.Lab == "" && d.Reason == "" }) {
			t.Errorf("the lab has no %s, and that is not a difference", name)
		}
	}
}

func TestCompare(t *testing.T) {
	lambda := root.Listing{"kernel": "5.10", "hostname": "a", "/dev/stdin": "link", "process 1": "init", "/boot": "folder", "program awk": "yes"}
	lab := root.Listing{"kernel": "6.18", "hostname": "lambda", "/dev/stdin": "link to /proc/self/fd/0", "process 1": "exe", "program awk": "yes", "/dev/fd": "link"}
	want := []root.Difference{
		{"/boot", "folder", "", ""}, {"/dev/fd", "", "link", ""}, {"hostname", "a", "lambda", ""}, {"process 1", "init", "exe", "the lab's own program starts the bootstrap"},
	}
	if got := root.Compare(lambda, lab); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	for _, text := range []string{"", "[]", "{}", `{"kernel": 5}`, `{"a": "b"}`, "not JSON", `{"errorMessage": "no handler"}`} {
		if l, err := root.Parse([]byte(text)); err == nil || l != nil {
			t.Errorf("%q: %v, %v", text, l, err)
		}
	}
}
