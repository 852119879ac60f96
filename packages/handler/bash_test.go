package handler

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/tools/need"
)

// A script that Bash cannot read is refused, with the line. A script that Bash can read only with an option that
// the script sets is accepted.
func TestBashReadsTheHandler(t *testing.T) {
	if baseBash() == "" {
		need.Missing(t, "Bash "+baseVersion)
	}
	for text, want := range map[string]string{
		"run() { :; }\n": "",
		"shopt -s extglob\nrun() { case $1 in @(a|b)) :;; esac; }\n": "",
		"x=y\nrun() {\n  echo\n":                                     "syntax error",
		"run() { :; }\nif [[ a =~ ( ]]; then :; fi\n":                ": line 2: ",
		"run() { :; }\r\n":                                           ".sh:1: the line ends with CR LF",
		"exit 3\n":                                                   "",
		"touch \"$TWINSTART_RAN\"; exit 1\n":                         "", // the check runs nothing
		"run() { printf 'a\r\\n'; }\n# a lone \r is no line's end\n": "",
	} {
		path := filepath.Join(t.TempDir(), "handler.sh")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := checkBash(path)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// A name is split as bootstraps split it: at the last dot of the path's last part.
func TestNamesAreSplitAsAtRunTime(t *testing.T) {
	for text, want := range map[string]name{
		"handler.run": {"handler", "run"}, "v1.2/handler.run": {"v1.2/handler", "run"}, "v1.2/program": {"v1.2/program", ""}, "a.b.run": {"a.b", "run"},
	} {
		if got, err := parse(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", text, got, err, want)
		}
	}
}
