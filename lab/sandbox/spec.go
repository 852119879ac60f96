// Package sandbox starts execution environments. A copy of this program becomes process 1 of new mount, PID, IPC
// and UTS namespaces (and of a user namespace if the lab is not root). It sets up the root file system, then blocks
// until it is released, and then starts the bootstrap. Everything is set up before the release, so that INIT can be
// timed from there.
//
// The sandbox isolates measurements from each other, and functions from the files and the network of the host and
// of other functions. All share the kernel: the sandbox does not protect against code that attacks the kernel.
package sandbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Functions run as this user and group on Lambda.
const (
	UID = 993
	GID = 990
)

// OwnUID returns a user for the nth function of this process, with limits and keys that no other function shares: a number
// beyond those of people and services, or Lambda's in a container that has no such numbers.
func OwnUID(n int) int {
	uid := 1_100_000_000 + os.Getpid()%(1<<16)<<10 + n%(1<<10)
	text, _ := os.ReadFile("/proc/self/uid_map")
	for line := range strings.Lines(string(text)) {
		var first, outside, count int
		if _, err := fmt.Sscan(line, &first, &outside, &count); err == nil && uid >= first && uid < first+count {
			return uid
		}
	}
	return UID
}

// Spec describes an execution environment. It is plain data: it is computed without privileges, and the child
// carries it out.
type Spec struct {
	// Root is the folder that becomes /, after the first of Mounts is mounted on it.
	Root     string
	Mounts   []Mount // in order
	Hostname string
	Command  Command
	// Unprivileged says that the child has its own user namespace and already is UID and GID.
	Unprivileged bool
	// UID is the user that the processes run as; 0 means Lambda's. An unprivileged environment has Lambda's.
	UID int
	// Listen gives the environment its own network, which has only the loopback interface. The lab gets a listener
	// in that network for each address, such as 127.0.0.1:9001. If Listen is empty, the network is the host's.
	Listen []string
	// Extensions are programs that Extend starts beside the bootstrap.
	Extensions []string
	// Filter denies system calls that functions do not need. It makes every other system call some ns slower.
	Filter bool
	// MemoryMB is the most private memory of one process, and Tasks the most processes, if no control group limits
	// them; 0 means no limit.
	MemoryMB int
	Tasks    uint64
	// Probe tries only what every environment needs. There is nothing to start.
	Probe bool
}

// Command is what is started on release.
type Command struct {
	Argv []string // Argv[0] is an absolute path inside the environment
	Env  []string // NAME=value
	Dir  string   // path inside the environment; if it is missing, /
}

// Mount is one mount of an execution environment.
type Mount struct {
	Kind   Kind
	Source string // a path of the host: folder or file for Bind, image for Loop
	Target string // absolute path inside the environment; "/" is the root itself
	// Layers of an Overlay, uppermost first: paths of the host.
	Layers       []string
	ReadAheadKiB int               // for a Loop
	SizeMB       int               // for a Tmpfs
	Files        map[string][]byte // for a Dev, by name
	// OnHost says that Target is a path of the host, for a layer that is mounted before the root.
	OnHost bool
}

// Kind says what is mounted.
type Kind string

// The kinds of mount.
const (
	Bind    Kind = "bind"    // read-only
	Loop    Kind = "loop"    // an ext4 image, read-only, through a new loop device
	Overlay Kind = "overlay" // read-only
	Proc    Kind = "proc"
	Tmpfs   Kind = "tmpfs" // writable by everyone
	Disk    Kind = "disk"  // the same, on a disk: a copy of a coldfs.Disk, which goes with the environment
	Dev     Kind = "dev"   // null, zero, full, random, urandom and the standard streams
)

// ErrBroken is the error if an environment ended while it was being set up, for example because something killed
// it.
var ErrBroken = errors.New("setting up an execution environment")

// The lab and process 1 of an execution environment talk over two pipes. The lab writes one frame with the Spec,
// and then single bytes. The child writes frames with one message each.

// The lab's commands, one byte each.
const (
	release byte = 'r' // start the bootstrap
	stop    byte = 's' // kill everything in the environment except process 1
	freeze  byte = 'f' // stop all processes where they are
	thaw    byte = 't' // let them go on
	extend  byte = 'x' // start the extensions
	end     byte = 'e' // SIGTERM to the bootstrap's group
)

// message is a message of the child.
type message struct {
	Kind  messageKind
	Error string `json:",omitempty"`
	// Extension is the extension that the message is about; "" means the bootstrap.
	Extension string `json:",omitempty"`
	// PID is the bootstrap's process ID in the environment's own namespace.
	PID int `json:",omitempty"`
	// At is CLOCK_MONOTONIC in ns, a clock that all processes of the machine share.
	At int64 `json:",omitempty"`
	// Status is a wait status.
	Status uint32 `json:",omitempty"`
	// MaxRSSKiB is the peak of the bootstrap and of the children that it has waited for.
	MaxRSSKiB int64 `json:",omitempty"`
}

type messageKind string

const (
	msgAlive     messageKind = "alive"     // runs and has not set up anything yet
	msgReady     messageKind = "ready"     // set up and blocked
	msgBroken    messageKind = "broken"    // could not be set up; Error says why
	msgStarted   messageKind = "started"   // At is the time of the release, before fork and exec
	msgUnstarted messageKind = "unstarted" // could not be started; Error says why
	msgExited    messageKind = "exited"
	msgStopped   messageKind = "stopped"
)

// A frame is its length, 4 bytes little endian, and JSON.

func writeFrame(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(text))), text...))
	return err
}

func readFrame(r io.Reader, v any) error {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return err
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n > 1<<24 {
		return fmt.Errorf("frame of %d bytes", n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}
