package main

import "syscall"

// ending says why attend stopped waiting for a worker.
type ending int

const (
	answeredStatus ending = iota // the worker reported the function's status
	gone                         // the worker has ended
	timedOut                     // the worker is still running, and its time is up
	overflowed                   // the response is larger than maxResponse
)

// grace, in ns, limits two waits: until processes that a handler left behind, such as exec > >(tee log), have
// closed the handler's stdout and stderr; and until a worker that has closed its control channel has ended.
const grace = 100e6

// patience is how long, in ns, a worker's output stays unread in the pipe. Most functions have ended by then, so they
// are not interrupted. A function that writes more than the pipe holds waits that long, unless its previous response
// was as large. patience is longer than the kernel's tick: a shorter timer must be set in hardware, which costs 19 us
// per event, see runtime/benchmarks/README.md.
const patience = 5e6

// streamPiece is the most that one read takes of a streamed response, in bytes: as much as a pipe holds.
const streamPiece = 64 << 10

// response is the output of the current event so far.
var response struct {
	readEnd, writeEnd int // of the pipe; this process keeps the write end open until the event is over
	memory            [maxResponse + 1]byte
	n                 int
	capacity          int  // of the pipe, in bytes
	large             bool // the previous response was larger than the pipe's capacity
}

// attend collects the output of a worker until the worker has answered, has ended, or must be ended. until is the
// time limit on the monotonic clock in ns; 0 means no limit. If the worker has answered, status is the function's
// status.
func (w *worker) attend(until int64) (end ending, status string) {
	detached, ended := false, false
	for unhurried := w.control >= 0 && !stream.open && !response.large; ; unhurried = false {
		// The control channel comes first: the worker's output before an answer is then seen together with the
		// answer.
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
				continue // interrupted by a signal
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

// drainStdout reads what is available of the response. It returns false if the response has become too large.
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
			break // the pipe is empty: a read returns all that it holds
		}
	}
	return true
}

// drainStderr copies what is available of stderr to the log.
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
		tail.Add(stderrMemory[:n])
		if n < len(stderrMemory) {
			break
		}
	}
}

var stderrMemory [16 << 10]byte

// idleUntil waits until fd can be read. Meanwhile it copies the worker's stderr to the log, because background
// processes may still write.
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
