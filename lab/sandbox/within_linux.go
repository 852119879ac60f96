package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// withinMark is in the environment of a process that Within has started.
const withinMark = "TWINSTART_WITHIN_LAMBDA_ROOT"

// Within runs a test binary's tests where /dev holds what Lambda's holds and /bin/sh is Bash: in mount namespaces of their own, in a copy
// of this process. It returns the tests' exit status. Where no namespace may be made, it says so and runs the tests on the machine's own root;
// with CI=true that is a failure.
func Within(run func() int) int {
	MaybeRunChild()
	if os.Getenv(withinMark) != "" {
		_ = os.Unsetenv(withinMark)
		if err := borrowRoot(); err != nil {
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
	cmd := exec.CommandContext(context.Background(), "/proc/self/exe", os.Args[1:]...) //nolint:gosec // this program once more
	cmd.Env = append(os.Environ(), withinMark+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		cmd.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SYS_CHROOT}
	}
	runtime.LockOSThread() // the signal comes when the thread that forked ends
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, "starting the tests on Lambda's root:", err)
		return 1
	}
	if status := cmd.ProcessState.ExitCode(); status >= 0 {
		return status
	}
	return 1 // a signal
}

// borrowRoot makes what differs between this mount namespace's root and Lambda's like Lambda's.
func borrowRoot() error {
	if err := mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	dev, err := os.MkdirTemp("", "dev")
	if err != nil {
		return err
	}
	if err := (Mount{Kind: Dev}).apply(dev); err != nil {
		return err
	}
	if err := mount(dev, "/dev", "", unix.MS_MOVE, ""); err != nil {
		return err
	}
	if err := os.Remove(dev); err != nil {
		return err
	}
	return mount("/bin/bash", "/bin/sh", "", unix.MS_BIND, "")
}
