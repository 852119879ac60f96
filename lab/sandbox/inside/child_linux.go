package inside

import (
	"cmp"
	"encoding/json"
	"math"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Name is argv[0] of a process that will become process 1 of an execution environment. ps shows it too.
const Name = "twinstart-environment"

// controlFD is the child's descriptor after stdin, stdout and stderr, which are the function's log: a socket to the
// lab.
const controlFD = 3

// A program that uses the lab is also process 1 of its execution environments. It becomes that here.
func init() {
	if len(os.Args) != 1 || os.Args[0] != Name {
		return
	}
	// no_new_privs and the ambient capabilities belong to a thread, and the bootstrap is forked from this thread.
	runtime.LockOSThread()
	os.Exit(run())
}

// tell sends the lab a message, and listeners with it. If this fails, the lab is gone.
func tell(m Message, listeners ...int) {
	text, _ := json.Marshal(m)
	_ = unix.Sendmsg(controlFD, text, unix.UnixRights(listeners...), nil, unix.MSG_NOSIGNAL)
}

// read reads a message of the lab; it is empty if the lab is gone. This does not use the runtime's poller: that saves
// one wake-up between the release and the fork.
func read(p []byte) []byte {
	for {
		n, err := syscall.Read(controlFD, p)
		if err != syscall.EINTR {
			return p[:max(n, 0)]
		}
	}
}

func run() int {
	var spec Spec
	message := make([]byte, 1<<18)
	listeners, err := prepare(&spec, message)
	if err != nil {
		tell(Message{Kind: MsgBroken, Error: err.Error()})
		return 1
	}
	s := &starter{command: spec.Command, attr: attributes(spec)}
	s.changed = sync.NewCond(&s.mu)
	if !spec.Probe {
		s.rehearse()
		go s.reap()
	}
	tell(Message{Kind: MsgReady}, listeners...)
	for _, fd := range listeners {
		_ = unix.Close(fd)
	}
	for {
		request := read(message)
		if len(request) == 0 {
			return 0
		}
		switch request[0] {
		case Release:
			s.start()
		case Stop:
			s.stop()
		case Extend:
			s.extend(spec.Extensions)
		case End:
			s.end()
		case Freeze:
			_ = syscall.Kill(-1, syscall.SIGSTOP) // ESRCH: there are none
		case Thaw:
			_ = syscall.Kill(-1, syscall.SIGCONT)
		}
	}
}

// prepare makes this process what the lab says. message is room for the lab's messages.
func prepare(spec *Spec, message []byte) (listeners []int, err error) {
	if err := unblockSignals(); err != nil {
		return nil, err
	}
	// nohup and a shell's background jobs ignore signals. The bootstrap would inherit that, and would behave
	// differently. The default action of process 1 is to ignore them, too. os/signal would start four threads for this.
	for _, signal := range []uintptr{uintptr(unix.SIGHUP), uintptr(unix.SIGINT), uintptr(unix.SIGTSTP), uintptr(unix.SIGTTIN), uintptr(unix.SIGTTOU)} {
		var standard [32]byte // struct sigaction: SIG_DFL, no flags, no mask
		_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, signal, uintptr(unsafe.Pointer(&standard)), 0, 8, 0, 0)
	}
	// Close the control socket in the bootstrap, and every higher descriptor that the shell, make or CI has left
	// open in the lab: through a folder of the host a function could leave its root.
	if err := unix.CloseRange(controlFD, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("close_range", err)
	}
	var groups []string
	if err := json.Unmarshal(read(message), &groups); err != nil {
		return nil, err
	}
	for _, file := range groups {
		if err := os.WriteFile(file, []byte("0"), 0); err != nil { // this thread, or this process with version 2
			return nil, err
		}
	}
	if err := json.Unmarshal(read(message), spec); err != nil {
		return nil, err
	}
	unix.Umask(0o022)
	_, _ = unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0) // hide the keys of the user who started the lab; this fails on a kernel without keys
	if listeners, err = network(spec.Listen); err == nil {
		err = layOut(*spec)
	}
	if err == nil && !spec.Probe {
		err = restrict(spec)
	}
	return listeners, err
}

// unblockSignals executes this program again if it was started with blocked signals, because Go gives its children
// the signal mask that it was started with.
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

// limits are Linux's defaults, except for descriptors, whose limit is Lambda's. So nothing depends on how the lab
// was started. The control group limits processes.
var limits = []limit{
	{"RLIMIT_NOFILE", unix.RLIMIT_NOFILE, 1024, 1024}, {"RLIMIT_CORE", unix.RLIMIT_CORE, 0, 0},
	{"RLIMIT_STACK", unix.RLIMIT_STACK, 8 << 20, unix.RLIM_INFINITY}, {"RLIMIT_AS", unix.RLIMIT_AS, unix.RLIM_INFINITY, unix.RLIM_INFINITY},
	{"RLIMIT_DATA", unix.RLIMIT_DATA, unix.RLIM_INFINITY, unix.RLIM_INFINITY}, {"RLIMIT_FSIZE", unix.RLIMIT_FSIZE, unix.RLIM_INFINITY, unix.RLIM_INFINITY},
	{"RLIMIT_CPU", unix.RLIMIT_CPU, unix.RLIM_INFINITY, unix.RLIM_INFINITY},
}

// unusedMB is memory that programs map but do not use: stacks of threads, and what Go reserves at its start.
const unusedMB = 128

// restrict takes away what the function does not have.
func restrict(spec *Spec) error {
	if err := unix.Sethostname([]byte("lambda")); err != nil {
		return os.NewSyscallError("sethostname", err)
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
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.cur, Max: l.max}); err != nil && !spec.Unprivileged { // an unprivileged process may not raise a limit
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
	if err := unix.Dup3(int(null.Fd()), 0, 0); err != nil {
		return os.NewSyscallError("dup3", err)
	}
	for _, filter := range spec.Filters {
		program := unix.SockFprog{Len: uint16(len(filter) / int(unsafe.Sizeof(unix.SockFilter{}))), Filter: (*unix.SockFilter)(unsafe.Pointer(&filter[0]))}
		if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0); err != nil {
			return os.NewSyscallError("prctl(PR_SET_SECCOMP)", err)
		}
	}
	return nil
}

// attributes returns the attributes of the bootstrap. It gets its own session, so it can signal its whole group
// without reaching process 1.
func attributes(spec Spec) *syscall.ProcAttr {
	sys := &syscall.SysProcAttr{Setsid: true}
	if !spec.Unprivileged && !spec.KeepUser {
		sys.Credential = &syscall.Credential{Uid: uint32(cmp.Or(spec.UID, UID)), Gid: GID, Groups: []uint32{}}
	}
	return &syscall.ProcAttr{Dir: spec.Command.Dir, Env: spec.Command.Env, Files: []uintptr{0, 1, 2}, Sys: sys}
}

// starter starts the bootstrap. As process 1 it is also the parent of orphans, and reaps them.
type starter struct {
	command Command
	attr    *syscall.ProcAttr

	mu      sync.Mutex
	changed *sync.Cond
	pid     int  // the bootstrap's process ID; 0 if it is not running
	active  bool // there may be children

	extensions map[int]string // key: process ID
}

// rehearse forks and executes a missing program once, so that the code for that is in memory when the bootstrap is
// started.
func (s *starter) rehearse() {
	_, _ = syscall.ForkExec("/.twinstart-rehearsal", s.command.Argv, s.attr)
}

func (s *starter) start() {
	s.mu.Lock()
	pid, at, err := s.fork(s.command.Argv)
	if err == 0 {
		s.pid, s.active = pid, true
	}
	s.changed.Broadcast()
	s.mu.Unlock()
	if err != 0 {
		tell(Message{Kind: MsgUnstarted, Error: s.command.Argv[0], Status: uint32(err), At: at})
		return
	}
	tell(Message{Kind: MsgStarted, At: at})
}

// fork starts a program, and says when. It tries again what has nothing to do with the program: a process that the lab
// was forking as it wrote the package has the file open too, until it executes its own program; and the machine may be
// busy.
func (s *starter) fork(argv []string) (pid int, at int64, err syscall.Errno) {
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		var now unix.Timespec
		unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
		pid, failed := syscall.ForkExec(argv[0], argv, s.attr)
		err, _ = failed.(syscall.Errno) //nolint:errorlint // ForkExec returns no other errors, as a NUL is refused before
		if !Passing(err) || time.Now().After(end) {
			return pid, now.Nano(), err
		}
	}
}

const patience = 2 * time.Second

// Passing says of an error at starting a program that it is the machine's, not the program's.
func Passing(err syscall.Errno) bool {
	return err == syscall.ETXTBSY || err == syscall.ENOMEM || err != 0 && err.Temporary()
}

// extend starts the extensions.
func (s *starter) extend(programs []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.extensions = map[int]string{}
	for _, program := range programs {
		if pid, _, err := s.fork([]string{program}); err != 0 {
			tell(Message{Kind: MsgUnstarted, Error: program, Status: uint32(err)})
		} else {
			s.extensions[pid], s.active = program, true
		}
	}
	s.changed.Broadcast()
}

// end asks the bootstrap and its process group to end.
func (s *starter) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pid > 0 {
		_ = syscall.Kill(-s.pid, syscall.SIGTERM) // ESRCH means that it has just ended
	}
}

// reap waits for all present and future children.
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
		extension := s.extensions[pid]
		exited := err == nil && (pid == s.pid || extension != "")
		if pid == s.pid {
			s.pid = 0
		}
		if err == syscall.ECHILD {
			s.active = false
			s.changed.Broadcast()
		}
		s.mu.Unlock()
		if exited {
			tell(Message{Kind: MsgExited, Extension: extension, At: now.Nano(), Status: uint32(status), MaxRSSKiB: usage.Maxrss})
		}
	}
}

// stop kills all processes of the environment except this one. kill(-1) does not reach this one, because it is
// process 1.
func (s *starter) stop() {
	s.mu.Lock()
	for s.active {
		_ = syscall.Kill(-1, syscall.SIGKILL) // ESRCH means that they have just ended
		s.changed.Wait()
	}
	s.mu.Unlock()
	tell(Message{Kind: MsgStopped})
}
