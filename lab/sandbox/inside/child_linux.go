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
	"unsafe"

	"golang.org/x/sys/unix"
)

// Name is argv[0] of a process that will become process 1 of an execution environment. ps shows it too.
const Name = "twinstart-environment"

// controlFD is the descriptor of a socket to the lab, after stdin, stdout and stderr.
const controlFD = 3

// A program that uses the lab is also process 1 of its execution environments. Here it becomes process 1.
func init() {
	if len(os.Args) != 1 || os.Args[0] != Name {
		return
	}
	// no_new_privs and the ambient capabilities belong to a thread, and the bootstrap is forked from this thread.
	runtime.LockOSThread()
	os.Exit(run())
}

// tell sends the lab a message with listeners. If this fails, the lab is gone.
func tell(m Message, listeners ...int) {
	text, _ := json.Marshal(m)
	_ = unix.Sendmsg(controlFD, text, unix.UnixRights(listeners...), nil, unix.MSG_NOSIGNAL)
}

// read returns a message of the lab, which is empty if the lab is gone. It does not use Go's poller, which saves one
// wake-up between the release and the fork.
func read(p []byte) []byte {
	for {
		n, err := syscall.Read(controlFD, p)
		if err != syscall.EINTR {
			return p[:max(n, 0)]
		}
	}
}

// run is process 1. It returns its exit status when the lab is gone.
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
			_ = syscall.Kill(-1, syscall.SIGSTOP) // ESRCH means that there are no processes
		case Thaw:
			_ = syscall.Kill(-1, syscall.SIGCONT)
		}
	}
}

// prepare sets this process up as the lab's Spec says. message is a buffer for the lab's messages.
func prepare(spec *Spec, message []byte) (listeners []int, err error) {
	if err := unblockSignals(); err != nil {
		return nil, err
	}
	// nohup and a shell's background jobs ignore signals. The bootstrap would inherit that and behave differently. Process
	// 1 itself needs no handlers: by default it ignores these signals. os/signal would start four threads for this.
	for _, signal := range []syscall.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU} {
		var standard [32]byte // struct sigaction: SIG_DFL, no flags, no mask
		_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signal), uintptr(unsafe.Pointer(&standard)), 0, 8, 0, 0)
	}
	// Close the control socket in the bootstrap, and every higher descriptor that the shell, make or CI has left open in
	// the lab. With an open folder of the host a function could leave its root.
	if err := unix.CloseRange(controlFD, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("close_range", err)
	}
	var groups []string
	if err := json.Unmarshal(read(message), &groups); err != nil {
		return nil, err
	}
	for _, file := range groups {
		if err := os.WriteFile(file, []byte("0"), 0); err != nil { // 0 is this thread; in version 2, this process
			return nil, err
		}
	}
	if err := json.Unmarshal(read(message), spec); err != nil {
		return nil, err
	}
	unix.Umask(0o022)
	// Hide the keyring of the user who started the lab. This fails on a kernel without keyrings.
	_, _ = unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0)
	if listeners, err = network(spec.Listen); err == nil {
		err = layOut(*spec)
	}
	if err == nil && !spec.Probe {
		err = restrict(spec)
	}
	return listeners, err
}

// unblockSignals executes this program again if it was started with blocked signals, because a Go program gives its
// children the signal mask that it was started with.
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

const infinity = unix.RLIM_INFINITY

// limits are Linux's defaults, except that descriptors have Lambda's limit and core files are off. They replace the
// limits that the lab was started with. The control group limits processes.
var limits = []limit{
	{"RLIMIT_NOFILE", unix.RLIMIT_NOFILE, 1024, 1024}, {"RLIMIT_CORE", unix.RLIMIT_CORE, 0, 0},
	{"RLIMIT_STACK", unix.RLIMIT_STACK, 8 << 20, infinity}, {"RLIMIT_AS", unix.RLIMIT_AS, infinity, infinity},
	{"RLIMIT_DATA", unix.RLIMIT_DATA, infinity, infinity}, {"RLIMIT_FSIZE", unix.RLIMIT_FSIZE, infinity, infinity},
	{"RLIMIT_CPU", unix.RLIMIT_CPU, infinity, infinity},
}

// unusedMB is memory that programs map but do not use: threads' stacks, and Go's reserve at its start.
const unusedMB = 128

// restrict takes away the limits, rights and system calls that a function does not have.
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
		limits = append(slices.Clone(limits), limit{"RLIMIT_DATA", unix.RLIMIT_DATA, data, data},
			limit{"RLIMIT_NPROC", unix.RLIMIT_NPROC, spec.Tasks, spec.Tasks})
	}
	for _, l := range limits {
		err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.cur, Max: l.max})
		if err != nil && !spec.Unprivileged { // an unprivileged process may not raise a limit
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
		program := unix.SockFprog{Filter: (*unix.SockFilter)(unsafe.Pointer(&filter[0]))}
		program.Len = uint16(len(filter) / int(unsafe.Sizeof(*program.Filter)))
		address := uintptr(unsafe.Pointer(&program))
		if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, address, 0, 0); err != nil {
			return os.NewSyscallError("prctl(PR_SET_SECCOMP)", err)
		}
	}
	return nil
}

// attributes returns the attributes of the bootstrap's process. The bootstrap gets its own session, so that it can
// signal its whole process group without process 1.
func attributes(spec Spec) *syscall.ProcAttr {
	sys := &syscall.SysProcAttr{Setsid: true}
	if !spec.Unprivileged && !spec.KeepUser {
		sys.Credential = &syscall.Credential{Uid: uint32(cmp.Or(spec.UID, UID)), Gid: GID, Groups: []uint32{}}
	}
	return &syscall.ProcAttr{Dir: spec.Command.Dir, Env: spec.Command.Env, Files: []uintptr{0, 1, 2}, Sys: sys}
}
