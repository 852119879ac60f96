package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/sandbox/inside"
)

// withinMark is an environment variable for a process that Within starts. Its value is the folder below which to
// lay out the root.
const withinMark = "TWINSTART_WITHIN_LAMBDA_ROOT"

// Within runs a test binary's tests on the root that layout makes below a folder. A copy of this process runs them
// in its own mount namespaces. Within returns the tests' exit status. If namespaces cannot be made, it prints the
// reason and runs the tests on the machine's own root; with CI=true that is a failure.
func Within(run func() int, layout func(dir string) (Layout, error)) int {
	if dir := os.Getenv(withinMark); dir != "" {
		_ = os.Unsetenv(withinMark)
		if err := borrowRoot(dir, layout); err != nil {
			fmt.Fprintln(os.Stderr, "laying out Lambda's root:", err)
			return 1
		}
		return run()
	}
	if _, err := Probe(nil); err != nil {
		fmt.Fprintln(os.Stderr, "not on Lambda's root:", err)
		if os.Getenv("CI") == "true" {
			return 1
		}
		return run()
	}
	dir, err := os.MkdirTemp("", "root")
	if err != nil {
		fmt.Fprintln(os.Stderr, "laying out Lambda's root:", err)
		return 1
	}
	defer os.RemoveAll(dir)                                                            // in this process's namespace nothing is mounted there
	cmd := exec.CommandContext(context.Background(), "/proc/self/exe", os.Args[1:]...) //nolint:gosec // this program again
	cmd.Env = append(os.Environ(), withinMark+"="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		cmd.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SYS_CHROOT}
	}
	runtime.LockOSThread() // the death signal is sent when the thread that forked ends
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, "starting the tests on Lambda's root:", err)
		return 1
	}
	if status := cmd.ProcessState.ExitCode(); status >= 0 {
		return status
	}
	return 1 // ended by a signal
}

// borrowRoot makes a layout the root of this mount namespace. It adds what tests and the Go tools need, each at its
// usual path: the module, build output, caches. Processes and /proc stay the machine's.
func borrowRoot(dir string, layout func(dir string) (Layout, error)) error {
	l, err := layout(dir)
	if err != nil {
		return err
	}
	also, err := toolFolders()
	if err != nil {
		return err
	}
	root, mounts := l.Mounts()
	for _, folder := range also {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			return err
		}
	}
	if err := inside.TryMount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	for _, m := range mounts {
		apply := m.Apply
		if m.Kind == inside.Proc {
			apply = func(at string) error { return inside.TryMount("/proc", at, "", unix.MS_BIND|unix.MS_REC, "") }
		}
		if err := apply(filepath.Join(root, m.Target)); err != nil {
			return err
		}
	}
	for _, folder := range also {
		at := filepath.Join(root, folder)
		if err := errors.Join(os.MkdirAll(at, 0o755), inside.TryMount(folder, at, "", unix.MS_BIND|unix.MS_REC, "")); err != nil { // a folder below /tmp does not exist yet in the new /tmp
			return err
		}
	}
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := inside.Enter(root); err != nil {
		return err
	}
	return os.Chdir(here)
}

// toolFolders returns the folders that tests need, outer ones first.
func toolFolders() ([]string, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
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
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	e, err := Begin(spec, null)
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
