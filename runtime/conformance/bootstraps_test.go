package conformance

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/tools/need"
)

// bootstrap is a bootstrap under test. To add one, add it to bootstraps.
type bootstrap struct {
	name string
	// argv returns the command line that starts the bootstrap. It is called at most once in a test process. It
	// fails t if the bootstrap cannot be built.
	argv func(t *testing.T) []string
}

// bootstraps lists the bootstraps under test in the order of reports.
var bootstraps = []bootstrap{
	{"bashcurl", script("../bashcurl/bootstrap")},
	{"bashtcp", inPackage("bashtcp", "bootstrap")},
	{"bashtcp-static", inPackage("bashtcp-static", "bash", "bootstrap")},
	{"nethttp", goProgram("../nethttp")},
	{"rawtcp", goProgram("../rawtcp")},
	{"lambdago", goProgram("../lambdago", "-tags=lambda.norpc")},
	{"rawsyscall", goProgram("../rawsyscall", "-ldflags=-s -w -buildid= -E=main.entry")},
}

// built is the folder with the compiled Go bootstraps. TestMain removes it.
var built string

func TestMain(m *testing.M) { os.Exit(lab.Within(func() int { return runTests(m) }, here)) }

func runTests(m *testing.M) int {
	// Lambda ignores no signal. nohup ignores SIGHUP, and children inherit that unless it is handled here.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	dir, err := os.MkdirTemp("", "conformance")
	if err == nil {
		err = os.Chmod(dir, 0o755) // bootstraps run as another user, see user
	}
	if err != nil {
		panic(err)
	}
	built = dir
	flag.Parse()
	flag.Set("test.parallel", "6") // the tests wait most of the time
	status := m.Run()
	for _, unmount := range unmounts {
		if err := unmount(); err != nil {
			panic(err) // do not remove files through a mount
		}
	}
	os.RemoveAll(dir)
	return status
}

// goProgram returns the argv of a Go bootstrap. It compiles the folder once, with the flags of the deployment
// package.
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

// script returns the argv of a bootstrap that is a script in a source folder.
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

// builds makes the bootstraps that are neither a script nor a Go program, each one once.
var builds struct {
	sync.Mutex
	packages.Workspace
}

// inPackage returns the argv of a bootstrap that runs in the folder of its package. bashtcp-static is started by
// the Bash in that folder; on Lambda its first line names that Bash as /var/task/bash.
func inPackage(name string, files ...string) func(t *testing.T) []string {
	return func(t *testing.T) []string {
		t.Helper()
		return packaged(t, name, here, files...)
	}
}

// here is the architecture of this machine.
var here = map[string]arm.Architecture{"amd64": arm.X8664, "arm64": arm.ARM64}[runtime.GOARCH]

// packaged builds a bootstrap and returns the paths of some of its files.
func packaged(t *testing.T, name string, architecture arm.Architecture, files ...string) []string {
	t.Helper()
	builds.Lock()
	defer builds.Unlock()
	builds.Dir = built
	dir, err := builds.Bootstrap(t.Context(), name, architecture)
	if unavailable := (*packages.UnavailableError)(nil); errors.As(err, &unavailable) {
		need.No(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	paths := make([]string, len(files))
	for i, file := range files {
		paths[i] = filepath.Join(dir, file)
	}
	return paths
}
