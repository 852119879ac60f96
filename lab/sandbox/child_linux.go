package sandbox

import (
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// childName is argv[0] of a process that is to become process 1 of an execution environment; it shows in ps, too.
const childName = "twinstart-environment"

// The child's descriptors beside stdin, stdout (the function's log) and stderr (the same).
const (
	controlFD = 3
	statusFD  = 4
)

// MaybeRunChild turns this process into process 1 of an execution environment if it was started to be that, and does not return
// then. A program that uses the lab calls it first thing in main (a test in TestMain).
func MaybeRunChild() {
	if len(os.Args) != 1 || os.Args[0] != childName {
		return
	}
	// no_new_privs and the ambient capabilities belong to a thread, and the bootstrap is forked from this one.
	runtime.LockOSThread()
	os.Exit(child{
		control: os.NewFile(controlFD, "control"),
		status:  os.NewFile(statusFD, "status"),
	}.run())
}

type child struct {
	control, status *os.File
}

func (c child) tell(m message) { _ = writeFrame(c.status, m) } // where nobody reads, the lab is gone

func (c child) run() int {
	// What nohup and a shell's background jobs have ignored would be ignored by the bootstrap too, which takes other paths then. What is
	// caught here is the default there.
	signal.Notify(make(chan os.Signal, 1), unix.SIGHUP, unix.SIGINT, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU)
	if err := unblockSignals(); err != nil {
		c.tell(message{Kind: msgBroken, Error: err.Error()})
		return 1
	}
	// The control pipes are not for the bootstrap, and above them lies whatever the shell, make or CI that started the lab has left open:
	// with a folder of the host a function would walk out of its root.
	if err := unix.CloseRange(controlFD, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		c.tell(message{Kind: msgBroken, Error: os.NewSyscallError("close_range", err).Error()})
		return 1
	}
	var spec Spec
	if err := readFrame(c.control, &spec); err != nil {
		return 1 // the lab is gone
	}
	c.tell(message{Kind: msgAlive})
	if err := c.setUp(&spec); err != nil {
		c.tell(message{Kind: msgBroken, Error: err.Error()})
		return 1
	}
	if spec.Probe {
		c.tell(message{Kind: msgReady})
		_, _ = io.Copy(io.Discard, c.control) // until the lab has seen enough
		return 0
	}
	s := &starter{child: c, command: spec.Command, attr: attributes(spec)}
	s.changed = sync.NewCond(&s.mu)
	s.rehearse()
	go s.reap()
	c.tell(message{Kind: msgReady})
	var request [1]byte
	for {
		// Not through the runtime's poller: one wake-up less between the release and the fork.
		n, err := syscall.Read(controlFD, request[:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return 0 // the lab has closed the environment, or is gone
		}
		switch request[0] {
		case release:
			s.start()
		case stop:
			s.stop()
		}
	}
}

// unblockSignals begins the process once more if it was started with signals blocked, for Go gives what it starts the mask that it began with.
func unblockSignals() error {
	var blocked, none unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &none, &blocked); err != nil || blocked == none {
		return os.NewSyscallError("sigprocmask", err)
	}
	return os.NewSyscallError("execve", unix.Exec("/proc/self/exe", os.Args, os.Environ()))
}

type limit struct {
	name     string
	resource int
	cur, max uint64
}

// limits are Linux's defaults and, of descriptors, Lambda's, so that nothing depends on what the lab was started with. Processes are
// counted by the control group.
var limits = []limit{
	{"RLIMIT_NOFILE", unix.RLIMIT_NOFILE, 1024, 1024}, {"RLIMIT_CORE", unix.RLIMIT_CORE, 0, 0},
	{"RLIMIT_STACK", unix.RLIMIT_STACK, 8 << 20, unix.RLIM_INFINITY}, {"RLIMIT_AS", unix.RLIMIT_AS, unix.RLIM_INFINITY, unix.RLIM_INFINITY},
	{"RLIMIT_DATA", unix.RLIMIT_DATA, unix.RLIM_INFINITY, unix.RLIM_INFINITY}, {"RLIMIT_FSIZE", unix.RLIMIT_FSIZE, unix.RLIM_INFINITY, unix.RLIM_INFINITY},
	{"RLIMIT_CPU", unix.RLIMIT_CPU, unix.RLIM_INFINITY, unix.RLIM_INFINITY},
}

// unusedMB is what programs have mapped and do not use: threads' stacks, what Go takes from the kernel at once.
const unusedMB = 128

func (c child) setUp(spec *Spec) error {
	unix.Umask(0o022)
	_, _ = unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0) // not the keys of who started the lab; a kernel without keys has none
	if err := c.network(spec.Listen); err != nil {
		return err
	}
	if err := layOut(*spec); err != nil {
		return err
	}
	if spec.Probe {
		return nil
	}
	if spec.Hostname != "" {
		if err := unix.Sethostname([]byte(spec.Hostname)); err != nil {
			return os.NewSyscallError("sethostname", err)
		}
	}
	if _, err := os.Stat(spec.Command.Dir); err != nil {
		spec.Command.Dir = "/"
	}
	limits := limits
	if spec.MemoryMB > 0 {
		data := uint64(spec.MemoryMB+unusedMB) << 20
		limits = append(slices.Clone(limits), limit{"RLIMIT_DATA", unix.RLIMIT_DATA, data, data}, limit{"RLIMIT_NPROC", unix.RLIMIT_NPROC, spec.Tasks, spec.Tasks})
	}
	for _, l := range limits {
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.cur, Max: l.max}); err != nil && !spec.Unprivileged { // who may not raise one
			return os.NewSyscallError("setrlimit("+l.name+")", err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl(PR_SET_NO_NEW_PRIVS)", err)
	}
	if spec.Unprivileged {
		if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
			return os.NewSyscallError("prctl(PR_CAP_AMBIENT_CLEAR_ALL)", err)
		}
	}
	null, err := os.Open("/dev/null")
	if err != nil {
		return err
	}
	defer null.Close()
	if err := unix.Dup3(int(null.Fd()), 0, 0); err != nil || !spec.Filter {
		return os.NewSyscallError("dup3", err)
	}
	return filter()
}

// attributes of the bootstrap: a session of its own, so that it may signal its whole group without reaching process 1.
func attributes(spec Spec) *syscall.ProcAttr {
	sys := &syscall.SysProcAttr{Setsid: true}
	if !spec.Unprivileged {
		sys.Credential = &syscall.Credential{Uid: UID, Gid: GID, Groups: []uint32{}}
	}
	return &syscall.ProcAttr{Dir: spec.Command.Dir, Env: spec.Command.Env, Files: []uintptr{0, 1, 2}, Sys: sys}
}

// starter starts the bootstrap, and is the parent that process 1 has to be: it reaps whatever is orphaned.
type starter struct {
	child
	command Command
	attr    *syscall.ProcAttr

	mu      sync.Mutex
	changed *sync.Cond
	pid     int  // of the bootstrap; 0 for none
	active  bool // there may be children
}

// rehearse runs through fork and exec once, of a program that is not there, so that the first real one finds its code paged in.
func (s *starter) rehearse() {
	_, _ = syscall.ForkExec("/.twinstart-rehearsal", s.command.Argv, s.attr)
}

func (s *starter) start() {
	var now unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	s.mu.Lock()
	pid, err := syscall.ForkExec(s.command.Argv[0], s.command.Argv, s.attr)
	if err == nil {
		s.pid, s.active = pid, true
	}
	s.changed.Broadcast()
	s.mu.Unlock()
	if err != nil {
		c := fmt.Sprintf("fork/exec %s: %v", s.command.Argv[0], err)
		s.tell(message{Kind: msgUnstarted, Error: c, At: now.Nano()})
		return
	}
	s.tell(message{Kind: msgStarted, PID: pid, At: now.Nano()})
}

// reap waits for every child there is or will be.
func (s *starter) reap() {
	for {
		s.mu.Lock()
		for !s.active {
			s.changed.Wait()
		}
		s.mu.Unlock()
		var status syscall.WaitStatus
		var usage syscall.Rusage
		pid, err := syscall.Wait4(-1, &status, 0, &usage)
		if err == syscall.EINTR {
			continue
		}
		var now unix.Timespec
		unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
		s.mu.Lock()
		exited := err == nil && pid == s.pid
		if exited {
			s.pid = 0
		}
		if err == syscall.ECHILD {
			s.active = false
			s.changed.Broadcast()
		}
		s.mu.Unlock()
		if exited {
			s.tell(message{Kind: msgExited, PID: pid, At: now.Nano(), Status: uint32(status), MaxRSSKiB: usage.Maxrss})
		}
	}
}

// stop kills all processes of the environment but this one, which is process 1 and so is not reached by kill(-1).
func (s *starter) stop() {
	s.mu.Lock()
	for s.active {
		_ = syscall.Kill(-1, syscall.SIGKILL) // ESRCH: they have just ended
		s.changed.Wait()
	}
	s.mu.Unlock()
	s.tell(message{Kind: msgStopped})
}

// memoryHighWater is VmHWM of a process in KiB, from its /proc/PID/status.
func memoryHighWater(status string) (kib int64) {
	for line := range strings.Lines(status) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib
		}
	}
	return 0
}
