package lab

import (
	"strings"
	"time"

	"github.com/twinstart/twinstart/lab/cgroup"
	"github.com/twinstart/twinstart/lab/runtimeapi"
	"github.com/twinstart/twinstart/lab/sandbox"
)

// initResult is how INIT went.
type initResult struct {
	began   time.Time // the release of the blocked process
	took    time.Duration
	failure *failure // nil where the bootstrap asked for its first event
}

// start runs the bootstrap until its first GET /next, within limit.
func (e *environment) start(limit time.Duration) initResult {
	if !e.function.lab.store.Loop {
		e.function.pkg.Drop() //nolint:errcheck // a package that stays warm shows in the KiB read
	}
	began := time.Now()
	if err := e.sandbox.Release(); err != nil {
		return initResult{began: began, failure: exited("signal: killed")}
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	// Process 1 tells when it was released. The bootstrap's own call may overtake its word.
	var word sandbox.Start
	select {
	case word = <-e.sandbox.Started:
	case <-e.sandbox.Gone():
		return initResult{began: began, took: time.Since(began), failure: e.exit(nil)}
	case <-timer.C:
		return initResult{began: began, took: limit, failure: &failure{timeout: true}}
	}
	if word.Err != nil {
		return initResult{began: word.At, took: time.Since(word.At), failure: &failure{kind: "Runtime.InvalidEntrypoint", message: word.Err.Error()}}
	}
	began = word.At
	for {
		select {
		case event := <-e.api.Events():
			switch event.Kind {
			case runtimeapi.Next:
				e.started = true
				return initResult{began: began, took: event.At.Sub(began)}
			case runtimeapi.InitError:
				return initResult{began: began, took: event.At.Sub(began), failure: reported(event)}
			}
		case exit := <-e.sandbox.Exited:
			if event, ok := e.lastWords(); ok && event.Kind == runtimeapi.InitError {
				return initResult{began: began, took: event.At.Sub(began), failure: reported(event)}
			}
			return initResult{began: began, took: exit.At.Sub(began), failure: e.exit(&exit)}
		case <-e.sandbox.Gone():
			return initResult{began: began, took: time.Since(began), failure: e.exit(nil)}
		case <-timer.C:
			return initResult{began: began, took: limit, failure: &failure{timeout: true}}
		}
	}
}

// lastWords is a call that the bootstrap made right before it ended and that is still being read.
func (e *environment) lastWords() (runtimeapi.Event, bool) {
	select {
	case event := <-e.api.Events():
		return event, true
	case <-time.After(20 * time.Millisecond):
		return runtimeapi.Event{}, false
	}
}

// exit is the failure of a bootstrap that ended; nil for one whose whole environment did.
func (e *environment) exit(exit *sandbox.Exit) *failure {
	if exit == nil {
		select {
		case last := <-e.sandbox.Exited:
			exit = &last
		default:
			return e.killed(exited("signal: killed"))
		}
	}
	if _, ok := e.group.PeakMemory(); !ok {
		e.peak = max(e.peak, exit.MaxRSSKiB<<10)
	}
	return e.killed(exited(exit.Reason()))
}

// killed gives a failure the name that Lambda has for one by lack of memory.
func (e *environment) killed(f *failure) *failure {
	if e.group.OOMKilled() && strings.HasSuffix(f.message, "signal: killed") {
		f.kind = "Runtime.OutOfMemory"
	}
	return f
}

// stop ends the bootstrap and what it has started, and keeps the environment, whose next invocation runs INIT again.
func (e *environment) stop() {
	e.started, e.suppressInit = false, true
	// Process 1 kills from inside the group: at a small function's share of a CPU it would take seconds to end a fork bomb.
	if e.throttled && e.group.SetCPU(cgroup.Unlimited) == nil {
		e.throttled = false
	}
	if e.sandbox.Stop() == nil {
		e.api.Reset()
	}
}
