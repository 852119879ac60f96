package conformance

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/twinstart/twinstart/runtime/arm"
	"github.com/twinstart/twinstart/runtime/build"
)

// bootstrap is a row of the table. To add one, add it to bootstraps.
type bootstrap struct {
	name string
	// argv is the command line that starts it. It runs at most once a test process; failing t is its way to say that it
	// cannot be built.
	argv func(t *testing.T) []string
}

// bootstraps are under test, in the order of reports.
var bootstraps = []bootstrap{
	{"bashcurl", script("../bashcurl/bootstrap")},
	{"bashtcp", script("../bashtcp/bootstrap")},
	{"bashtcp-static", staticBash},
	{"nethttp", goProgram("../nethttp")},
	{"rawtcp", goProgram("../rawtcp")},
	{"lambdago", goProgram("../lambdago", "-tags=lambda.norpc")},
	{"rawsyscall", goProgram("../rawsyscall", "-ldflags=-s -w -buildid= -E=main.entry")},
}

// built holds what the Go bootstraps were compiled to; TestMain removes it.
var built string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "conformance")
	if err != nil {
		panic(err)
	}
	built = dir
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// goProgram is a bootstrap compiled once from a folder, with the flags of the deployment package.
func goProgram(folder string, flags ...string) func(t *testing.T) []string {
	var once sync.Once
	var output []byte
	var err error
	binary := func() string { return filepath.Join(built, filepath.Base(folder)) }
	return func(t *testing.T) []string {
		t.Helper()
		once.Do(func() {
			args := append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", binary()}, flags...)
			build := exec.Command("go", append(args, folder)...)
			build.Env = append(os.Environ(), "CGO_ENABLED=0")
			output, err = build.CombinedOutput()
		})
		if err != nil {
			t.Fatalf("building %s: %v\n%s", folder, err, output)
		}
		return []string{binary()}
	}
}

// script is a bootstrap that is a file beside its source, started as it is.
func script(path string) func(t *testing.T) []string {
	return func(t *testing.T) []string {
		t.Helper()
		absolute, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(absolute); err != nil {
			t.Fatal(err)
		}
		return []string{absolute}
	}
}

// builds makes the bootstraps that are more than a script or a Go program, each once.
var builds struct {
	sync.Mutex
	build.Workspace
}

// staticBash is the script of bashtcp-static run by the Bash beside it, which on Lambda its first line names by /var/task.
func staticBash(t *testing.T) []string {
	t.Helper()
	builds.Lock()
	defer builds.Unlock()
	builds.Dir = built
	architecture := map[string]arm.Architecture{"amd64": arm.X8664, "arm64": arm.ARM64}[runtime.GOARCH]
	dir, err := builds.Bootstrap(t.Context(), "bashtcp-static", architecture)
	if unavailable := (*build.UnavailableError)(nil); errors.As(err, &unavailable) {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI measures every bootstrap: %v", err)
		}
		t.Skipf("no arm of the experiment here, either: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return []string{filepath.Join(dir, "bash"), filepath.Join(dir, "bootstrap")}
}
