// Package sandbox starts execution environments. A copy of this program becomes process 1 of new mount, PID, IPC
// and UTS namespaces (and of a user namespace if the lab is not root); see package inside. Everything is set up before
// the bootstrap is released, so that INIT can be timed from there.
//
// The sandbox isolates measurements from each other, and functions from the files and the network of the host and
// of other functions. All share the kernel: the sandbox does not protect against code that attacks the kernel.
package sandbox

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twinstart/twinstart/lab/sandbox/inside"
)

// Process 1 is told a Spec, of Commands to run and Mounts to make.
type (
	// Spec is all that process 1 is told.
	Spec = inside.Spec
	// Command is a program to start.
	Command = inside.Command
	// Mount is a file system to mount.
	Mount = inside.Mount
)

// Functions run as this user and group on Lambda.
const (
	UID = inside.UID
	GID = inside.GID
)

// OwnUID returns a user for the nth function of this process, with limits and keys that no other function shares: a
// number beyond those of people and services, or Lambda's in a container that does not have all numbers.
func OwnUID(n int) int {
	if text, _ := os.ReadFile("/proc/self/uid_map"); !strings.HasSuffix(strings.TrimSpace(string(text)), " 4294967295") {
		return UID
	}
	return 1_100_000_000 + os.Getpid()%(1<<16)<<10 + n%(1<<10)
}

// ErrBroken is the error if an environment ended while it was being set up, for example because something killed
// it.
var ErrBroken = errors.New("setting up an execution environment")

// Start is the release of a bootstrap.
type Start struct {
	At  time.Time
	Err error // why the bootstrap, or an extension, could not be executed
}

// Exit is the end of a bootstrap.
type Exit struct {
	At        time.Time
	Status    syscall.WaitStatus
	MaxRSSKiB int64
	Extension string // the extension that has ended; "" means the bootstrap
}

// Reason describes an exit in Lambda's words: "exit status 1", "signal: killed".
func (e Exit) Reason() string {
	if e.Status.Signaled() {
		return "signal: " + e.Status.Signal().String()
	}
	return "exit status " + strconv.Itoa(e.Status.ExitStatus())
}
