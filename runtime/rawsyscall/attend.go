package main

import "syscall"

// ending is why waiting for a worker is over.
type ending int

const (
	answeredStatus ending = iota // it said how the function ended
	gone                         // it has ended
	timedOut                     // it has not, and its time is up
	overflowed                   // its response is larger than maxResponse
)

// grace is how long, in ns, after a process's end its stdout and stderr may stay open in processes that it left behind, such as
// exec > >(tee log), and how long after giving up its control channel a worker has to end.
const grace = 100e6

// patience is how long, in ns, a worker's output is left where it is: most functions have ended by then, and need not be
// interrupted for it. One that writes more than the pipe holds waits as long, the first time. It is longer than the kernel's tick, because a timer that
// is due before that has to be set in hardware: an event takes 19 us less without, see docs/performance.md.
const patience = 5e6

// streamPiece is the most that one read of a streamed response takes: as much as a pipe holds.
const streamPiece = 64 << 10

// response is the output of the current event, as far as it has come.
var response struct {
	readEnd, writeEnd int // of the pipe; the write end is open here until the event is over
	memory            [maxResponse + 1]byte
	n                 int
	capacity          int  // of the pipe
	large             bool // the one before was more than it holds
}

// attend collects the output of a worker until it has answered, has ended or must be ended; until is on the monotonic clock, in ns,
// 0 for ever. The status is the function's where it answered.
func (w *worker) attend(until int64) (end ending, status string) {
	detached, ended := false, false
	for unhurried := w.control >= 0 && !stream.open && !response.large; ; unhurried = false {
		// The control channel comes first: what was written before it was is then seen with it.
		files := [...]pollfd{
			{int32(w.control), pollIn, 0}, {int32(w.stderr), pollIn, 0}, {int32(w.pidfd), pollIn, 0},
			{int32(response.readEnd), pollIn, 0}, {int32(stream.requests), pollIn, 0}, {int32(signals), pollIn, 0},
		}
		if detached {
			files[0].fd = closed
		}
		if ended {
			files[2].fd = closed
		}
		timeout := int64(-1)
		if until != 0 {
			timeout = max(until-now(clockMonotonic), 0)
		}
		if unhurried && (timeout < 0 || timeout > patience) {
			files[3].fd = closed
			if poll(files[:], patience) == 0 {
				continue
			}
			files[3].revents = pollIn
		} else if poll(files[:], timeout) == 0 {
			if timeout < 0 || now(clockMonotonic) < until {
				continue // a signal
			}
			if ended || detached {
				return gone, ""
			}
			return timedOut, ""
		}
		if files[5].revents != 0 {
			w.terminate()
		}
		if files[4].revents != 0 {
			hearStreamRequest()
		}
		if files[3].revents != 0 && !drainStdout() {
			return overflowed, ""
		}
		if files[1].revents != 0 {
			w.drainStderr()
		}
		if files[0].revents != 0 {
			line, complete, open := w.hear()
			if complete {
				return answeredStatus, line
			}
			if !open {
				detached = true
				until = sooner(until, now(clockMonotonic)+grace)
			}
		}
		if files[2].revents != 0 {
			ended = true
			until = sooner(until, now(clockMonotonic)+grace)
		}
		if ended && (w.stderr < 0 || w.control >= 0) && (response.readEnd < 0 || w.control >= 0) {
			if !drainStdout() {
				return overflowed, ""
			}
			w.drainStderr()
			return gone, ""
		}
	}
}

func sooner(until, other int64) int64 {
	if until == 0 {
		return other
	}
	return min(until, other)
}

// drainStdout takes what there is of the response; false where it has become too large.
func drainStdout() bool {
	for response.readEnd >= 0 {
		free := response.memory[response.n:]
		if stream.open {
			free = free[:streamPiece]
		}
		n, errno := read(response.readEnd, free)
		if errno == syscall.EAGAIN {
			break
		}
		if n == 0 {
			shut(&response.readEnd)
			break
		}
		response.n += n
		if stream.open {
			passOn()
			continue
		}
		if response.n > maxResponse {
			return false
		}
		if n < len(free) {
			break // a pipe gives all that it has
		}
	}
	return true
}

// drainStderr takes what there is of stderr to the log.
func (w *worker) drainStderr() {
	for w.stderr >= 0 {
		n, errno := read(w.stderr, stderrMemory[:])
		if errno == syscall.EAGAIN {
			break
		}
		if n == 0 {
			shut(&w.stderr)
			break
		}
		write(2, stderrMemory[:n])
		addToTail(stderrMemory[:n])
		if n < len(stderrMemory) {
			break
		}
	}
}

var stderrMemory [16 << 10]byte

// idleUntil waits until fd can be read, and takes the worker's stderr to the log meanwhile: background processes may write on.
func idleUntil(fd int) {
	for {
		files := [...]pollfd{{int32(fd), pollIn, 0}, {int32(theWorker.stderr), pollIn, 0}, {int32(signals), pollIn, 0}}
		poll(files[:], -1)
		if files[2].revents != 0 {
			theWorker.terminate()
		}
		if files[1].revents != 0 {
			theWorker.drainStderr()
		}
		if files[0].revents != 0 {
			return
		}
	}
}
