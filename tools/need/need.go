// Package need is for tests that some machines cannot run, because they need a tool, loop devices or control groups. If
// something is missing, the test is skipped and says what to install. With CI=true the test fails instead, so that a
// change of a runner does not switch tests off unnoticed.
package need

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Tool returns the path of the first of names that is in PATH.
func Tool(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, strings.Join(names, " or ")+" is not in PATH: install it (make setup installs most)")
	return ""
}

// No ends the test if err is not nil. err says why this machine cannot run the test.
func No(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		Missing(t, err.Error())
	}
}

// Missing ends a test because something is missing.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("with CI=true every test must run: %s", what)
	}
	t.Skip(what)
}

// Time ends a test that takes long if only short tests are wanted (make test-short).
func Time(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long: make test runs it")
	}
}
