package main

import "syscall"

// worker is a process that handles events: a Bash that stays or, with isolation by process, a process for one
// event.
type worker struct {
	pid     int // leader of its process group; 0 if there is no process
	pidfd   int // becomes readable when the process has ended
	control int // this end of the worker's descriptor 253; closed for a process per event
	stderr  int // read end
	ready   bool

	line  [256]byte // what was read from control
	n     int
	traps bool // the handler has set a trap on EXIT or TERM

	fields uint // bit set of the context fields in the previous event
}

var theWorker = worker{pidfd: closed, control: closed, stderr: closed}

// start starts a worker that sources the handler. becomeReady waits until it has done so.
func (w *worker) start() *failure {
	ours, theirs, errno := socketPair()
	if errno != 0 {
		return cannotStart(errno)
	}
	script := workerScript
	if settings.isolation == bySubshell {
		script = subshellScript
	}
	if settings.snapshot {
		t := in(hooksMemory[:])
		script = t.add(script[:len(begin)], hooks, script[len(begin):]).string()
	}
	startShell(script, nameOf(eventNumber, names.event[:]), nameOf(responseNumber, names.response[:]))
	starting.stdin, starting.stdout, starting.control = openNull(), closed, theirs
	failure := w.spawn()
	shut(&starting.stdin)
	shut(&theirs)
	if failure != nil {
		shut(&ours)
		return failure
	}
	w.control = ours
	return nil
}

// spawn starts the process that starting describes and reads its stderr.
func (w *worker) spawn() *failure {
	readEnd, writeEnd, errno := pipe(0)
	if errno != 0 {
		return cannotStart(errno)
	}
	*w = worker{pidfd: closed, control: closed, stderr: readEnd}
	if starting.stderr = writeEnd; starting.stdout < 0 {
		starting.stdout = writeEnd
	}
	w.pid, errno = spawn()
	shut(&writeEnd)
	if errno != 0 {
		shut(&w.stderr)
		w.pid = 0
		return cannotStart(errno)
	}
	pidfd, _, errno := syscall.RawSyscall(sysPidfdOpen, uintptr(w.pid), 0, 0)
	if errno != 0 {
		w.end()
		return cannotStart(errno)
	}
	w.pidfd = int(pidfd)
	return nil
}

func cannotStart(errno syscall.Errno) *failure {
	return fail("Runtime.HandlerCannotStart").say("starting handler ").quote(settings.handler).say(": ", meaning(errno))
}

// end kills the whole process group, reaps its leader and returns the leader's status.
func (w *worker) end() syscall.WaitStatus {
	kill(-w.pid, syscall.SIGKILL) // before the leader is reaped: after that another group could have its number
	kill(w.pid, syscall.SIGKILL)  // in case the leader has left its group
	_, status := wait(w.pid, 0)
	for {
		// If this process is the first of its PID namespace, orphans have become its children.
		if pid, _ := wait(-1, syscall.WNOHANG); pid <= 0 {
			break
		}
	}
	w.pid, w.ready = 0, false
	shut(&w.control)
	shut(&w.pidfd)
	return status
}

// bury does what end does, and also copies the rest of stderr to the log.
func (w *worker) bury() syscall.WaitStatus {
	status := w.end()
	w.drainStderr()
	shut(&w.stderr)
	return status
}

// replaced reports whether the shell has become another program by exec. The process may have ended but must not
// have been reaped.
func (w *worker) replaced() bool {
	t := in(w.line[:])
	t.add("/proc/").int(int64(w.pid)).add("/comm").byte(0)
	file := open(&w.line[0], syscall.O_RDONLY)
	if file < 0 {
		return false
	}
	n, _ := read(file, w.line[:])
	shut(&file)
	return asString(w.line[:n]) != "bash\n"
}

// alive reports whether the worker exists and has not ended.
func (w *worker) alive() bool {
	if w.pid == 0 {
		return false
	}
	files := [1]pollfd{{int32(w.pidfd), pollIn, 0}}
	return poll(files[:], 0) == 0
}

// hear reads from the control channel. The line is "ready", "hook", "lost", a trap that the handler's file has set, or
// a status; if several lines arrive, the last one counts. complete is false until a line has ended. open is false at
// the end of the channel.
func (w *worker) hear() (line string, complete, open bool) {
	n, errno := read(w.control, w.line[w.n:])
	if n == 0 {
		return "", false, errno != 0
	}
	w.n += n
	if w.line[w.n-1] != '\n' {
		if w.n == len(w.line) { // a long line can only be a trap, and its text does not matter
			w.n, w.traps = 0, true
		}
		return "", false, true
	}
	start := w.n - 1
	for start > 0 && w.line[start-1] != '\n' {
		start--
	}
	line = asString(w.line[start : w.n-1])
	if start > 0 {
		first := asString(w.line[:start])
		w.traps = w.traps || isTrap(first)
	}
	w.n = 0
	return line, true, true
}

// isTrap reports whether a line of "trap -p" is about a trap that is set. In POSIX mode Bash also prints traps that
// are not set.
func isTrap(line string) bool {
	const unset = "trap -- - "
	return len(line) < len(unset) || line[:len(unset)] != unset
}
