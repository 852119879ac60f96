// Package need is for tests that a machine may not be able to run: they need a tool, loop devices or control groups. If
// something is missing, the test is skipped and says what to install. With CI=true it fails, so that no check is lost
// when a runner changes.
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
	Missing(t, strings.Join(names, " or ")+" is not in PATH: make setup installs it")
	return ""
}

// No ends the test if err says why this machine cannot run it. nil means that it can.
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
		t.Fatalf("with CI=true every test runs: %s", what)
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
