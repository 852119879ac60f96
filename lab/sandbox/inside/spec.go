// Package inside is process 1 of an execution environment: a copy of this program that sets up the root file system,
// blocks until it is released, and then starts the bootstrap.
//
// It runs when Go initializes this package, before most other packages, whose initialization would take more CPU at
// each cold start than everything that process 1 does. Go's linker orders packages by their imports, then by name, so
// this package must not import net, net/netip or path/filepath, or anything that imports them.
package inside

// Functions run as this user and group on Lambda.
const (
	UID = 993
	GID = 990
)

// Spec describes an execution environment. It is plain data, which the lab computes and process 1 carries out.
type Spec struct {
	// Root is the folder that becomes /, after the mount whose Target is / is on it.
	Root    string
	Mounts  []Mount // in order
	Command Command
	// Unprivileged says that process 1 has its own user namespace and already is UID and GID.
	Unprivileged bool
	// UID is the user that the processes run as; 0 means Lambda's. An unprivileged environment has Lambda's.
	UID int
	// KeepUser makes the processes run as the user who started this program. Tests need that for rights and files.
	KeepUser bool
	// Listen gives the environment its own network, which has only the loopback interface. The lab gets a listener
	// in that network for each address, for example 127.0.0.1:9001. If Listen is empty, the network is the host's.
	Listen []string
	// Extensions are programs that Extend starts beside the bootstrap.
	Extensions []string
	// Filters are programs that deny system calls. They make every other system call some ns slower.
	Filters [][]byte
	// MemoryMB is the most private memory of one process, and Tasks the most processes, if no control group limits
	// them; 0 means no limit.
	MemoryMB int
	Tasks    uint64
	// Probe tries only what every environment needs, and starts nothing.
	Probe bool
}

// Command is what is started on release.
type Command struct {
	Argv []string // Argv[0] is an absolute path inside the environment
	Env  []string // NAME=value
	Dir  string   // path inside the environment; / is used if it is missing
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
	Files        map[string][]byte // for a Dev: see sandbox.Layout.Extra
	// OnHost is set if Target is a path of the host: a layer is mounted there before the root.
	OnHost bool
}

// Kind says what is mounted.
type Kind string

// The kinds of mount.
const (
	Bind     Kind = "bind"     // read-only
	Writable Kind = "writable" // like Bind, but writable
	Loop     Kind = "loop"     // an ext4 image, read-only, through a new loop device
	Overlay  Kind = "overlay"  // read-only
	Proc     Kind = "proc"
	Tmpfs    Kind = "tmpfs" // writable by everyone
	Disk     Kind = "disk"  // like Tmpfs, but on the device of a coldfs.Disk
	Dev      Kind = "dev"   // null, zero, full, random, urandom and the standard streams
)

// The lab and process 1 of an execution environment exchange messages over a socket. The lab sends the control files of
// the groups that process 1 joins, then the Spec, both as JSON, and then single bytes. Process 1 sends messages as
// JSON, and the listeners with the first one.

// The lab's commands, one byte each.
const (
	Release byte = 'r' // start the bootstrap
	Stop    byte = 's' // kill everything in the environment except process 1
	Freeze  byte = 'f' // SIGSTOP to all processes: unlike a frozen control group, it needs no rights and allows SIGKILL
	Thaw    byte = 't' // SIGCONT to all processes
	Extend  byte = 'x' // start the extensions
	End     byte = 'e' // SIGTERM to the bootstrap's group
)

// Message is a message of process 1.
type Message struct {
	Kind  MessageKind
	Error string `json:",omitempty"`
	// Extension is the extension that the message is about; "" means the bootstrap.
	Extension string `json:",omitempty"`
	// At is CLOCK_MONOTONIC in ns, a clock that all processes of the machine share.
	At int64 `json:",omitempty"`
	// Status is a wait status, or the error number of a program that could not be started.
	Status uint32 `json:",omitempty"`
	// MaxRSSKiB is the peak of the bootstrap and of the children that it has waited for.
	MaxRSSKiB int64 `json:",omitempty"`
}

// MessageKind says what a message is about.
type MessageKind string

// The kinds of message.
const (
	MsgReady     MessageKind = "ready"     // set up and blocked
	MsgBroken    MessageKind = "broken"    // could not be set up; Error says why
	MsgStarted   MessageKind = "started"   // At is the time of the release, before fork and exec
	MsgUnstarted MessageKind = "unstarted" // Error is the program that could not be started, Status the reason
	MsgExited    MessageKind = "exited"
	MsgStopped   MessageKind = "stopped"
)
