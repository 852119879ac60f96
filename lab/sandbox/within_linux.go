package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/lab/sandbox/inside"
)

// withinMark is an environment variable of the processes that Within starts.
const withinMark = "TWINSTART_WITHIN_LAMBDA_ROOT"

// Within runs a test binary's tests on the root that layout describes: a copy of this process runs them in an execution
// environment. It returns the tests' exit status. If environments cannot be made, it prints the reason and runs the
// tests on the machine's root; with CI=true it fails.
func Within(run func() int, layout func(dir string) (Layout, error)) int {
	if os.Getenv(withinMark) != "" {
		_ = os.Unsetenv(withinMark)
		return run()
	}
	unprivileged, err := Probe(nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, "not on Lambda's root:", err)
		if os.Getenv("CI") == "true" {
			return 1
		}
		return run()
	}
	status, err := within(unprivileged, layout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "running the tests on Lambda's root:", err)
	}
	return status
}

// within adds the folders that tests and the Go tools need to a layout, each at its usual path, and runs the tests.
func within(unprivileged bool, layout func(dir string) (Layout, error)) (status int, err error) {
	dir, err := os.MkdirTemp("", "root")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir) // nothing is mounted there in this process's namespace
	l, err := layout(dir)
	if err != nil {
		return 1, err
	}
	program, err := os.Executable()
	here, hereErr := os.Getwd()
	folders, toolErr := toolFolders(program)
	root, mounts := l.Mounts()
	err = errors.Join(err, hereErr, toolErr)
	for _, folder := range folders {
		err = errors.Join(err, os.MkdirAll(filepath.Join(root, folder), 0o755))
		mounts = append(mounts, Mount{Kind: inside.Writable, Source: folder, Target: folder})
	}
	if err != nil {
		return 1, err
	}
	e, err := Begin(Spec{Root: root, Mounts: mounts, Unprivileged: unprivileged, KeepUser: true, Command: Command{
		Argv: append([]string{program}, os.Args[1:]...), Env: append(os.Environ(), withinMark+"=1"), Dir: here,
	}}, os.Stdout)
	if err != nil {
		return 1, err
	}
	defer e.Close()
	if err := cmp.Or(e.Ready(), e.Tell(inside.Release)); err != nil {
		return 1, err
	}
	for {
		select {
		case start := <-e.Started:
			if start.Err != nil {
				return 1, start.Err
			}
		case exit := <-e.Exited:
			if exit.Status.Exited() {
				return exit.Status.ExitStatus(), nil
			}
			return 1, errors.New(exit.Reason())
		case <-e.Gone():
			return 1, ErrBroken
		}
	}
}

// toolFolders returns the folders that tests need, outer ones first.
func toolFolders(program string) ([]string, error) {
	env, err := exec.CommandContext(context.Background(), "go", "env", "GOMOD", "GOROOT", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		return nil, fmt.Errorf("asking Go for its folders: %w", err)
	}
	module, others, _ := strings.Cut(string(env), "\n")
	folders := append(strings.Split(others, "\n"), filepath.Dir(module), filepath.Dir(program),
		os.Getenv("HOME"), os.Getenv("TWINSTART_CACHE"))
	folders = slices.DeleteFunc(folders, func(folder string) bool {
		_, err := os.Stat(folder)
		return err != nil || folder == "/" || folder == "/tmp" || strings.HasPrefix(folder+"/", "/usr/")
	})
	slices.Sort(folders)
	return slices.Compact(folders), nil
}
