// Package sandbox starts execution environments. A copy of this program becomes process 1 of new mount, PID, IPC and
// UTS namespaces (and of a user namespace if the lab is not root); see package inside. Everything is set up before the
// bootstrap is released, so that INIT can be timed from the release.
//
// The sandbox isolates measurements from each other, and functions from the files and the network of the host and of
// other functions. All functions share the host's kernel. The sandbox does not protect against code that attacks it.
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

// Spec is what process 1 is told.
type Spec = inside.Spec

// Command is what process 1 starts.
type Command = inside.Command

// Mount is what process 1 mounts before it starts the command.
type Mount = inside.Mount

// Functions run as this user and group on Lambda.
const (
	UID = inside.UID
	GID = inside.GID
)

// OwnUID returns a user ID for the nth function of this process, so that functions do not share limits and keys. It is
// larger than the IDs of people and services. In a container that does not have all IDs, it is Lambda's.
func OwnUID(n int) int {
	if text, _ := os.ReadFile("/proc/self/uid_map"); !strings.HasSuffix(strings.TrimSpace(string(text)), " 4294967295") {
		return UID
	}
	return 1_100_000_000 + os.Getpid()%(1<<16)<<10 + n%(1<<10)
}

// ErrBroken is the error if an environment ended while it was being set up, for example because something killed it.
var ErrBroken = errors.New("setting up an execution environment")

// Start is the release of a bootstrap, or the failed start of an extension.
type Start struct {
	At  time.Time
	Err error // why the bootstrap, or an extension, could not be executed
}

// Exit is the end of a bootstrap or an extension.
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
