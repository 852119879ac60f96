//go:build linux

package perevent

import (
	"strconv"
	"syscall"
	"time"

	"github.com/twinstart/twinstart/runtime/phases"
	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

const (
	// margin is the time before the deadline at which a handler is killed. It leaves time to report that before
	// Lambda ends the environment. With 128 MB a process may run 1.4 ms of every 20 ms, so margin is several such
	// periods.
	margin = 100 * time.Millisecond

	// maxResponse, in bytes, is far above Lambda's limit (6 MB). It keeps a runaway handler from filling the
	// memory.
	maxResponse = 32 << 20
)

// grace is how long processes that a handler left behind, such as exec > >(tee log), may keep its stdout and stderr
// open after the handler's end. After that they are killed. Only tests change it.
var grace = 100 * time.Millisecond

// Runner runs one handler, one event at a time. It is not safe for concurrent use.
type Runner struct {
	handler     *Handler
	argv        []string
	environment []string // the part that every event inherits
	response    []byte   // reused for each event
	stderr      runtimeapi.Tail
}

// NewRunner returns a Runner. Handlers inherit environ, such as syscall.Environ().
func NewRunner(h *Handler, environ []string) *Runner {
	return &Runner{handler: h, argv: h.argv(), environment: inherited(environ)}
}

// Run gives one event to the handler and returns the handler's output, which is valid until the next Run. Run
// copies the handler's stderr to this process's stderr at once. When Run returns, no process of the handler's group
// is left.
func (r *Runner) Run(inv *runtimeapi.Invocation) ([]byte, *runtimeapi.Error) {
	phases.EventArrives()
	phases.EventBegins(inv.Context[runtimeapi.RequestID])
	defer phases.Mark("handlerDone")
	return r.run(inv)
}

func (r *Runner) run(inv *runtimeapi.Invocation) ([]byte, *runtimeapi.Error) {
	p, err := r.start(inv)
	if err != nil {
		return nil, &runtimeapi.Error{Type: "Runtime.HandlerCannotStart",
			Message: "starting handler " + strconv.Quote(r.handler.Name) + ": " + err.Error()}
	}
	end := r.attend(p, deadline(inv.Context[runtimeapi.DeadlineMS]))
	status := p.finish()
	switch {
	case end == timedOut:
		return nil, &runtimeapi.Error{Type: "Function.TimedOut",
			Message: "handler " + strconv.Quote(r.handler.Name) + " timed out: killed just before its deadline"}
	case end == tooLarge:
		return nil, runtimeapi.TooLarge(len(r.response))
	case status.Signaled():
		return nil, r.failure("Function.Signal",
			"killed by signal "+strconv.Itoa(int(status.Signal()))+" ("+status.Signal().String()+")")
	case status.ExitStatus() != 0:
		return nil, r.failure("Function.ExitStatus", "exit status "+strconv.Itoa(status.ExitStatus()))
	}
	return r.response, nil
}

// failure is the error of a handler that ended badly. Its message is the tail of stderr. If stderr was empty, it
// is the handler's name and the parameter otherwise.
func (r *Runner) failure(errorType, otherwise string) *runtimeapi.Error {
	message := string(r.stderr.Message())
	if message == "" {
		message = "handler " + strconv.Quote(r.handler.Name) + ": " + otherwise
	}
	return &runtimeapi.Error{Type: errorType, Message: message}
}

// deadline returns the time at which to kill the handler, or the zero time if the API sent no deadline.
func deadline(ms string) time.Time {
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return time.Time{}
	}
	now := time.Now() // has a monotonic reading, so it does not matter if the wall clock is set meanwhile
	return now.Add(time.UnixMilli(n).Sub(now) - margin)
}

// ending says why a handler's run is over.
type ending int

const (
	exited ending = iota
	timedOut
	tooLarge
)

// attend collects the output of a process until the process ends, or must be ended because of its deadline or
// output.
func (r *Runner) attend(p *process, until time.Time) ending {
	r.response = r.response[:0]
	r.stderr.Reset()
	gone := false
	for !gone || p.stdout >= 0 || p.stderr >= 0 {
		timeout := time.Duration(-1)
		if !until.IsZero() {
			timeout = max(time.Until(until), 0)
		}
		files := [...]pollfd{{int32(p.stdout), pollIn, 0}, {int32(p.stderr), pollIn, 0}, {int32(p.pidfd), pollIn, 0}}
		if gone {
			files[2].fd = -1 // poll ignores -1, as it does for closed pipes
		}
		n, err := poll(files[:], timeout)
		if err == syscall.EINTR { //nolint:errorlint // a number; errors.Is would cost pages
			continue
		}
		if n == 0 || err != nil {
			if gone {
				return exited // finish kills the group, and with it processes that still hold the pipes
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

// readStdout reads once from the response. It returns false if the response has become too large.
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

// readStderr reads once from stderr and copies that to the log.
func (r *Runner) readStderr(p *process) {
	var b [4 << 10]byte
	n, err := read(p.stderr, b[:])
	if n <= 0 || err != nil {
		closeFile(&p.stderr)
		return
	}
	WriteLog(b[:n])
	r.stderr.Add(b[:n])
}
