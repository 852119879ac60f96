// Package sandbox starts execution environments: a process of our own binary becomes process 1 of new mount, PID, IPC and UTS
// namespaces (and a user namespace where we are not root), lays out the root file system, and waits, blocked, for the release
// that makes it start the bootstrap. All set-up is over before the release, so that INIT can be timed from there.
//
// This isolates measurements from each other, and functions from each other's files and network and from the host's. The kernel is shared:
// it is not a security boundary against code that attacks the kernel.
package sandbox

import "errors"

// The user and group that functions run as on Lambda.
const (
	UID = 993
	GID = 990
)

// Spec is an execution environment to be set up. It is plain data: computed without privileges, carried out by the child.
type Spec struct {
	// Root is the folder that becomes /, once the first of Mounts is mounted on it.
	Root     string
	Mounts   []Mount // in order
	Hostname string
	Command  Command
	// Unprivileged: the child has a user namespace of its own and already is UID and GID.
	Unprivileged bool
	// Listen gives the environment a network of its own, which has nothing but the loopback interface. The lab gets a listener there for each
	// address, such as 127.0.0.1:9001. Without any the network is the host's.
	Listen []string
	// Filter denies system calls that functions do without. It costs each of the others some ns.
	Filter bool
	// MemoryMB is what one process may have of its own, and Tasks how many there may be, where no control group limits them; 0 is no limit.
	MemoryMB int
	Tasks    uint64
	// Probe: only what every environment needs is tried, and there is nothing to start.
	Probe bool
}

// Command is what is started on release.
type Command struct {
	Argv []string // Argv[0] is an absolute path inside of the environment
	Env  []string // NAME=value
	Dir  string   // inside of the environment; where it is missing, /
}

// Mount is one mount of an execution environment.
type Mount struct {
	Kind   Kind
	Source string // a path of the host: folder or file for Bind, image for Loop
	Target string // absolute, inside of the environment; "/" is the root itself
	// Layers of an Overlay, uppermost first: paths of the host.
	Layers       []string
	ReadAheadKiB int // of a Loop
	SizeMB       int // of a Tmpfs
	// OnHost: Target is a path of the host instead, for a layer that is mounted before the root is.
	OnHost bool
	// Optional: a missing source or target leaves the mount out.
	Optional bool
}

// Kind is what is mounted.
type Kind string

// The kinds of mount.
const (
	Bind    Kind = "bind"    // read-only
	Loop    Kind = "loop"    // an ext4 image, read-only, through a loop device of its own
	Overlay Kind = "overlay" // read-only
	Proc    Kind = "proc"
	Tmpfs   Kind = "tmpfs" // writable by everyone
	Dev     Kind = "dev"   // null, zero, full, random, urandom and the standard streams
)

// ErrBroken is an environment that ended while it was set up, as if somebody had killed it.
var ErrBroken = errors.New("setting up an execution environment")
