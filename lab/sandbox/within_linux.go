package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/twinstart/twinstart/lab/sandbox/inside"
)

// withinMark is an environment variable for a process that Within starts.
const withinMark = "TWINSTART_WITHIN_LAMBDA_ROOT"

// Within runs a test binary's tests on the root that layout makes below a folder: a copy of this process runs them in
// an execution environment. It returns the tests' exit status. If there can be no environments, it prints the reason
// and runs the tests on the machine's own root; with CI=true that is a failure.
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

// within adds to a layout what tests and the Go tools need, each at its usual path: the module, build output, caches.
func within(unprivileged bool, layout func(dir string) (Layout, error)) (status int, err error) {
	dir, err := os.MkdirTemp("", "root")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir) // in this process's namespace nothing is mounted there
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
	defer func() {
		e.Kill()
		<-e.Gone()
	}()
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
	folders := append(strings.Split(others, "\n"), filepath.Dir(module), filepath.Dir(program), os.Getenv("HOME"), os.Getenv("TWINSTART_CACHE"))
	folders = slices.DeleteFunc(folders, func(folder string) bool {
		_, err := os.Stat(folder)
		return err != nil || folder == "/" || folder == "/tmp" || strings.HasPrefix(folder+"/", "/usr/")
	})
	slices.Sort(folders)
	return slices.Compact(folders), nil
}

// ErrNamespaces says that environments cannot be made here at all.
var ErrNamespaces = errors.New("the lab needs Linux namespaces, which this process may not make")

// Probe finds out how environments can be made here: as root, or else in user namespaces. If neither works, the
// error says what to do. If one works, try is called with the process ID of an empty environment, so that more can
// be tested. try may be nil.
func Probe(try func(pid int)) (unprivileged bool, err error) {
	var failures []string
	for _, unprivileged := range []bool{false, true} {
		if !unprivileged && os.Geteuid() != 0 {
			continue
		}
		err := probe(Spec{Unprivileged: unprivileged}, try)
		if err == nil {
			return unprivileged, nil
		}
		if errors.Is(err, syscall.ENOSPC) { // what the kernel says of a limit
			failures = append(failures, "user namespaces are used up or off (/proc/sys/user/max_user_namespaces)")
			continue
		}
		failures = append(failures, err.Error())
	}
	remedy := "run it as root (sudo)"
	if os.Geteuid() == 0 {
		remedy = "give it CAP_SYS_ADMIN (docker run --privileged)"
	} else if text, err := os.ReadFile("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"); err == nil && strings.TrimSpace(string(text)) == "1" {
		remedy = "run it as root (sudo), or allow them: sysctl kernel.apparmor_restrict_unprivileged_userns=0"
	}
	return false, fmt.Errorf("%w: %s: %s", ErrNamespaces, strings.Join(failures, "; "), remedy)
}

// ProbeNetwork returns why environments cannot have their own networks here, or nil if they can.
func ProbeNetwork(unprivileged bool) error {
	return probe(Spec{Unprivileged: unprivileged, Listen: []string{"127.0.0.1:9001"}}, nil)
}

// probe starts an environment that contains only its own process list.
func probe(spec Spec, try func(pid int)) error {
	spec.Probe = true
	e, err := Begin(spec, io.Discard)
	if err != nil {
		return err
	}
	defer func() {
		e.Kill()
		<-e.Gone()
	}()
	if err := e.Ready(); err != nil {
		return err
	}
	if try != nil {
		try(e.PID())
	}
	return nil
}
