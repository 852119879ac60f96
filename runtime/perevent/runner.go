//go:build linux

package perevent

import (
	"strconv"
	"syscall"
	"time"

	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

const (
	// margin is how long before the deadline a handler is killed: time to report it before Lambda ends the environment. With
	// 128 MB a process may run 1.4 ms of every 20, so it is several such periods.
	margin = 100 * time.Millisecond

	// grace is how long after a handler's end its stdout and stderr may stay open in processes that it left behind, such as
	// exec > >(tee log), before these are killed.
	grace = 100 * time.Millisecond

	// maxResponse in bytes is far above what Lambda takes (6 MB), and keeps a runaway handler from filling the memory.
	maxResponse = 32 << 20
)

// Runner runs one handler, an event at a time. It is not safe for concurrent use.
type Runner struct {
	handler     *Handler
	argv        []string
	environment []string // inherited part
	response    []byte   // reused
	stderr      tail
}

// NewRunner makes a Runner whose handlers inherit an environment, such as syscall.Environ().
func NewRunner(h *Handler, environ []string) *Runner {
	return &Runner{handler: h, argv: h.argv(), environment: inherited(environ)}
}

// Run gives one event to the handler and its output back, valid until the next Run. What the handler writes to stderr goes to
// this process's stderr at once. No process of the handler's group is left when it returns.
func (r *Runner) Run(inv *runtimeapi.Invocation) ([]byte, *runtimeapi.Error) {
	eventBegins(inv.RequestID)
	defer mark("handlerDone")
	p, err := r.start(inv)
	if err != nil {
		return nil, &runtimeapi.Error{Type: "Runtime.HandlerCannotStart",
			Message: "starting handler " + strconv.Quote(r.handler.Name) + ": " + err.Error()}
	}
	end := r.attend(p, deadline(inv.DeadlineMS))
	status := p.finish()
	switch {
	case end == timedOut:
		return nil, &runtimeapi.Error{Type: "Function.TimedOut",
			Message: "handler " + strconv.Quote(r.handler.Name) + " timed out: killed just before its deadline"}
	case end == tooLarge:
		return nil, runtimeapi.TooLarge(len(r.response))
	case status.Signaled():
		return nil, r.failure("Function.Signal", "killed by signal "+strconv.Itoa(int(status.Signal()))+" ("+status.Signal().String()+")")
	case status.ExitStatus() != 0:
		return nil, r.failure("Function.ExitStatus", "exit status "+strconv.Itoa(status.ExitStatus()))
	}
	return r.response, nil
}

// failure is the error of a handler that ended badly: its last words, or how it ended where it had none.
func (r *Runner) failure(errorType, otherwise string) *runtimeapi.Error {
	message := r.stderr.message()
	if message == "" {
		message = "handler " + strconv.Quote(r.handler.Name) + ": " + otherwise
	}
	return &runtimeapi.Error{Type: errorType, Message: message}
}

// deadline is when to kill the handler; the zero time where none was sent.
func deadline(ms string) time.Time {
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return time.Time{}
	}
	now := time.Now() // keeps the monotonic clock, in case the wall clock is set meanwhile
	return now.Add(time.UnixMilli(n).Sub(now) - margin)
}

// ending is why a handler's run is over.
type ending int

const (
	exited ending = iota
	timedOut
	tooLarge
)

// attend collects the output of a process until it has ended or must be ended.
func (r *Runner) attend(p *process, until time.Time) ending {
	r.response = r.response[:0]
	r.stderr.reset()
	gone := false
	for !gone || p.stdout >= 0 || p.stderr >= 0 {
		timeout := time.Duration(-1)
		if !until.IsZero() {
			timeout = max(time.Until(until), 0)
		}
		files := [...]pollfd{{int32(p.stdout), pollIn, 0}, {int32(p.stderr), pollIn, 0}, {int32(p.pidfd), pollIn, 0}}
		if gone {
			files[2].fd = -1 // not to be polled; nor are closed pipes
		}
		n, err := poll(files[:], timeout)
		if err == syscall.EINTR { //nolint:errorlint // a number; errors.Is would cost pages
			continue
		}
		if n == 0 || err != nil {
			if gone {
				return exited // what still holds the pipes is killed with its group
			}
			return timedOut
		}
		if files[0].revents != 0 && !r.readStdout(p) {
			return tooLarge
		}
		if files[1].revents != 0 {
			r.readStderr(p)
		}
		if files[2].revents != 0 {
			gone = true
			if limit := time.Now().Add(grace); until.IsZero() || limit.Before(until) {
				until = limit
			}
		}
	}
	return exited
}

// readStdout is one read of the response; false where it has become too large.
func (r *Runner) readStdout(p *process) bool {
	if cap(r.response)-len(r.response) < 4<<10 {
		grown := make([]byte, len(r.response), max(2*cap(r.response), 64<<10))
		copy(grown, r.response)
		r.response = grown
	}
	n, err := read(p.stdout, r.response[len(r.response):cap(r.response)])
	if n <= 0 || err != nil {
		closeFile(&p.stdout)
		return true
	}
	r.response = r.response[:len(r.response)+n]
	return len(r.response) <= maxResponse
}

// readStderr is one read of the log.
func (r *Runner) readStderr(p *process) {
	var b [4 << 10]byte
	n, err := read(p.stderr, b[:])
	if n <= 0 || err != nil {
		closeFile(&p.stderr)
		return
	}
	writeLog(b[:n])
	r.stderr.add(b[:n])
}
