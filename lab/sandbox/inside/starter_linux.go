package inside

import (
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// starter starts the bootstrap and the extensions. As process 1 it also becomes the parent of orphans, and reaps them.
type starter struct {
	command Command
	attr    *syscall.ProcAttr

	mu      sync.Mutex
	changed *sync.Cond
	pid     int  // the bootstrap's process ID; 0 if it is not running
	active  bool // there may be children

	extensions map[int]string // by process ID
}

// rehearse forks and executes a missing program once, so that the code that starts the bootstrap is in memory.
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

// fork starts a program and returns the time. For 2 s it tries again after an error that the program did not cause. The
// machine may be busy. Or the lab forked a process while it wrote the package: that process has the file open until it
// executes another program.
func (s *starter) fork(argv []string) (pid int, at int64, err syscall.Errno) {
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(time.Millisecond) {
		at = Monotonic()
		pid, failed := syscall.ForkExec(argv[0], argv, s.attr)
		err, _ = failed.(syscall.Errno) //nolint:errorlint // the only other error, for a NUL, was excluded before
		if !Passing(err) || time.Now().After(end) {
			return pid, at, err
		}
	}
}

// Monotonic returns CLOCK_MONOTONIC in ns.
func Monotonic() int64 {
	var now unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return now.Nano()
}

// Passing reports whether the machine caused an error at the start of a program, so that it may pass.
func Passing(err syscall.Errno) bool {
	return err == syscall.ETXTBSY || err == syscall.ENOMEM || err != 0 && err.Temporary()
}

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
		at := Monotonic()
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
			tell(Message{Kind: MsgExited, Extension: extension, At: at, Status: uint32(status), MaxRSSKiB: usage.Maxrss})
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
