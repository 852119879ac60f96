package main

import "syscall"

// loops are the processes that handle events at the same time (AWS_LAMBDA_MAX_CONCURRENCY). Each is a fork of this
// program with its own worker and its own connection, so they share nothing. See docs/handler-contract.md.
var loops struct {
	pids     [maxConcurrency]int
	n        int
	progress int // in a loop: write end on which it reports its INIT; closed if there are no loops
	gate     int // in a loop: read end of a pipe that is closed when all loops are initialised
	report   [8 << 10]byte
}

// A loop reports its INIT with one of these bytes. After loopInitFailed come the failure's kind and its message,
// each with a NUL.
const (
	loopReady      = '+'
	loopWantsTERM  = 't'
	loopInitFailed = 'e'
)

// divideIntoLoops returns in each loop. The process that Lambda started does not return: it waits until all loops
// are ready, and ends when any of them ends.
func divideIntoLoops() {
	progress, writeEnd, errno := pipe(0)
	gateEnd, gate, errno2 := pipe(0)
	if errno != 0 || errno2 != 0 {
		failInit(cannotStart(errno | errno2))
	}
	for loops.n = 0; loops.n < settings.concurrency; loops.n++ {
		pid, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
		if errno != 0 {
			killLoops()
			failInit(cannotStart(errno))
		}
		if pid == 0 {
			_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0)
			shut(&progress)
			shut(&gate)
			loops.progress, loops.gate = writeEnd, gateEnd
			return
		}
		loops.pids[loops.n] = int(pid)
	}
	shut(&writeEnd)
	shut(&gateEnd)
	if awaitLoops(progress) {
		registerExtension()
	}
	var set signalSet // block these before the first event: they may come at any time after it
	set.add(syscall.SIGCHLD)
	set.add(syscall.SIGTERM)
	set.block()
	shut(&gate)
	set.superviseLoops()
}

// awaitLoops waits until every loop is ready. If one fails, INIT fails with its error. The result says whether any
// loop wants SIGTERM.
func awaitLoops(progress int) (wantsTERM bool) {
	n := 0
	for ready := 0; ready < loops.n; {
		files := [1]pollfd{{int32(progress), pollIn, 0}}
		poll(files[:], -1)
		got, errno := read(progress, loops.report[n:])
		if errno == syscall.EAGAIN {
			continue
		}
		if got == 0 {
			killLoops()
			failInit(fail("Runtime.HandlerInitFailed").say("a process of AWS_LAMBDA_MAX_CONCURRENCY ended during INIT"))
		}
		n += got
		ready, wantsTERM = 0, false
		for i := range n {
			switch loops.report[i] {
			case loopReady:
				ready++
				continue
			case loopWantsTERM:
				ready, wantsTERM = ready+1, true
				continue
			}
			kind, rest, _ := cut(asString(loops.report[i+1:n]), 0)
			if message, _, whole := cut(rest, 0); whole {
				killLoops()
				failInit(fail(kind).say(message))
			}
			ready = -1 // the rest of the report has not arrived yet
			break
		}
	}
	return wantsTERM
}

// loopIsReady reports that this loop's INIT is done, and waits until all loops are ready.
func loopIsReady(wantsTERM bool) {
	what := [1]byte{loopReady}
	if wantsTERM {
		what[0] = loopWantsTERM
	}
	write(loops.progress, what[:])
	files := [1]pollfd{{int32(loops.gate), pollIn, 0}}
	for poll(files[:], -1) == 0 {
	}
	shut(&loops.gate)
}

// atomicWrite is the most, in bytes, that a pipe takes in one uninterrupted write (PIPE_BUF).
const atomicWrite = 4 << 10

// loopFailed reports that this loop's INIT failed, and ends this process. It uses one write, so reports of other
// loops cannot mix with it.
func loopFailed(f *failure) {
	t := in(loops.report[:atomicWrite])
	t.byte(loopInitFailed).add(f.kind).byte(0)
	message := f.message.string()
	t.add(message[:min(len(message), cap(t.bytes)-len(t.bytes)-1)]).byte(0)
	write(loops.progress, t.bytes)
	exit(1)
}

// superviseLoops ends the program when the first loop ends. Lambda then starts another environment.
func (s *signalSet) superviseLoops() {
	for terminating := false; ; {
		for {
			pid, status := wait(-1, syscall.WNOHANG)
			if pid < 0 {
				exit(0) // no child is left
			}
			if pid == 0 {
				break
			}
			if isLoop(pid) && !terminating {
				killLoops()
				exit(max(status.ExitStatus(), 1))
			}
		}
		if s.wait() == syscall.SIGTERM {
			terminating = true
			for _, pid := range loops.pids[:loops.n] {
				kill(pid, syscall.SIGTERM)
			}
		}
	}
}

func isLoop(pid int) bool {
	for _, loop := range loops.pids[:loops.n] {
		if pid == loop {
			return true
		}
	}
	return false
}

func killLoops() {
	for _, pid := range loops.pids[:loops.n] {
		kill(pid, syscall.SIGKILL)
	}
}
