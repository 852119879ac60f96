// Package life runs one execution environment through its phases: set-up, INIT, invocations, INIT again after a crash,
// and shutdown. After the set-up the environment is blocked until INIT. The package reports how each phase ended. Its
// users, the lab and probe, decide what that means.
package life

import (
	"context"
	"io"
	"time"

	"github.com/twinstart/twinstart/lab/runtimeapi"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/lab/sandbox/inside"
)

// Environment is a process tree in its own root file system, with its Runtime API.
type Environment struct {
	*sandbox.Environment
	API *runtimeapi.Server

	extensions int // number of external extensions
}

// Start starts process 1 of an environment. groups are the control files to which the process writes 0 to join its
// control groups. Begin then sets the environment up.
func Start(unprivileged, ownNetwork bool, groups []string) (*Environment, error) {
	process, err := sandbox.Spawn(unprivileged, ownNetwork, groups)
	return &Environment{Environment: process}, err
}

// Begin sets up the environment. Its bootstrap is then ready to be started. The environment's output goes to log.
// command returns what to start; api is the address of the Runtime API, which is the first of spec.Listen if there is
// one. If Begin fails, it has closed the environment.
func (e *Environment) Begin(spec sandbox.Spec, log io.Writer, command func(api string) sandbox.Command) (err error) {
	defer func() {
		if err != nil {
			e.Close()
		}
	}()
	var address string
	if len(spec.Listen) > 0 {
		address = spec.Listen[0]
	} else if e.API, err = runtimeapi.Listen(); err == nil {
		address = e.API.Address()
	} else {
		return err
	}
	spec.Command = command(address)
	e.extensions = len(spec.Extensions)
	if err = e.SetUp(spec, log); err == nil {
		err = e.Ready()
	}
	if listeners := e.Listeners(); err == nil && len(listeners) > 0 {
		e.API = runtimeapi.Serve(listeners[0])
	}
	return err
}

// Ending says how a wait for a bootstrap ended.
type Ending int

// The ways in which a wait can end. Only Init returns Unstarted.
const (
	Called    Ending = iota // the bootstrap has called its Runtime API
	Delivered               // the event was delivered
	Unstarted               // the kernel could not execute the bootstrap
	Exited                  // the bootstrap, or an extension, has ended
	Lost                    // the whole environment has ended
	Late                    // the context has ended
)

// News says what a bootstrap did last.
type News struct {
	Ending Ending
	Event  runtimeapi.Event // set for Called
	Exit   sandbox.Exit     // set for Exited
	Err    error            // set for Unstarted
	At     time.Time
}

// Wait waits for the bootstrap's next call, for its end or for the end of ctx. If event is not nil, it also waits
// for the event's delivery: a bootstrap may end during the delivery, or before it has asked for the event.
func (e *Environment) Wait(ctx context.Context, event *runtimeapi.Invocation) News {
	var deliveries chan<- runtimeapi.Delivery
	var next runtimeapi.Delivery
	at := make(chan time.Time, 1)
	if event != nil {
		deliveries, next = e.API.Deliveries(), runtimeapi.Delivery{Invocation: *event, At: at}
	}
	select {
	case deliveries <- next:
		return News{Ending: Delivered, At: <-at}
	case event := <-e.API.Events():
		return News{Ending: Called, Event: event, At: event.At}
	case exit := <-e.Exited:
		return News{Ending: Exited, Exit: exit, At: exit.At}
	case <-e.Gone():
		return e.lost()
	case <-ctx.Done():
		return News{Ending: Late, At: time.Now()}
	}
}

// lost returns how the bootstrap ended, if it ended before the environment.
func (e *Environment) lost() News {
	select {
	case exit := <-e.Exited:
		return News{Ending: Exited, Exit: exit, At: exit.At}
	default:
		return News{Ending: Lost, At: time.Now()}
	}
}

// Init releases the bootstrap and waits for the call that ends INIT: GET /next, GET /restore/next or POST /init/error.
// It also returns if that call cannot come any more. began is the time of the release, or of the start of the
// extensions.
func (e *Environment) Init(ctx context.Context) (began time.Time, n News) {
	began = time.Now()
	if e.extensions > 0 {
		if n, ok := e.extend(ctx); !ok {
			return began, n
		}
	}
	if e.Tell(inside.Release) != nil {
		return began, e.lost()
	}
	// Process 1 reports the time of the release. The bootstrap's call may arrive before that report.
	select {
	case word := <-e.Started:
		if word.Err != nil {
			return word.At, News{Ending: Unstarted, Err: word.Err, At: time.Now()}
		}
		if e.extensions == 0 { // with extensions, INIT began earlier
			began = word.At
		}
	case <-e.Gone():
		return began, e.lost()
	case <-ctx.Done():
		return began, News{Ending: Late, At: time.Now()}
	}
	return began, e.initialised(ctx)
}

// initialised waits until the bootstrap has asked for an event or a restore, and each extension for an event.
func (e *Environment) initialised(ctx context.Context) (n News) {
	for asked := runtimeapi.Extension; ; { // Extension: the bootstrap has not asked yet
		switch n = e.Wait(ctx, nil); n.Ending {
		case Called:
			switch n.Event.Kind {
			case runtimeapi.Next, runtimeapi.Restore:
				asked = n.Event.Kind
			case runtimeapi.InitError:
				return n
			}
			if asked == runtimeapi.Extension || e.Working() {
				continue
			}
			n.Event.Kind = asked
		case Exited:
			if event, ok := e.LastWords(); ok && event.Kind == runtimeapi.InitError {
				return News{Ending: Called, Event: event, At: event.At}
			}
		}
		return n
	}
}

// Restore answers GET /restore/next and then waits as Init does. began is the time of the answer.
func (e *Environment) Restore(ctx context.Context) (began time.Time, n News) {
	began = time.Now()
	e.API.Restore()
	return began, e.initialised(ctx)
}

// extend starts the extensions and waits until each has registered. After that the bootstrap may be started.
func (e *Environment) extend(ctx context.Context) (n News, ok bool) {
	if e.Tell(inside.Extend) != nil {
		return e.lost(), false
	}
	for {
		if registered, _ := e.API.Extensions(); registered >= e.extensions {
			return n, true
		}
		select {
		case word := <-e.Started:
			return News{Ending: Unstarted, Err: word.Err, At: time.Now()}, false
		default:
		}
		if n = e.Wait(ctx, nil); n.Ending != Called {
			return n, false
		}
	}
}

// Working reports whether any extension has not asked for its next event yet.
func (e *Environment) Working() bool {
	_, working := e.API.Extensions()
	return working > 0
}

// bootstrapEnd is the time that a bootstrap has after SIGTERM. allEnd is the time for the bootstrap and external
// extensions.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
const (
	bootstrapEnd = 500 * time.Millisecond
	allEnd       = 2 * time.Second
)

// ShutDown ends the bootstrap and then the extensions, as Lambda does. The bootstrap gets SIGTERM only if an
// extension is registered.
func (e *Environment) ShutDown(reason string) {
	if registered, _ := e.API.Extensions(); registered == 0 || e.Tell(inside.End) != nil {
		return
	}
	limit := bootstrapEnd
	if e.extensions > 0 {
		limit = allEnd
	}
	end := time.Now().Add(limit)
	running, left := true, e.extensions
	wait := func(until time.Time, over func() bool) {
		for timer := time.After(time.Until(until)); !over(); {
			select {
			case exit := <-e.Exited:
				if exit.Extension == "" {
					running = false
				} else {
					left--
				}
			case <-e.API.Events(): // nothing else reads the events now
			case <-e.Gone():
				return
			case <-timer:
				return
			}
		}
	}
	wait(time.Now().Add(bootstrapEnd), func() bool { return !running })
	if left > 0 {
		e.API.Shutdown(reason, end)
		wait(end, func() bool { return left <= 0 })
	}
}

// LastWords returns a call that the bootstrap made right before it ended, if that call arrives within 20 ms.
func (e *Environment) LastWords() (runtimeapi.Event, bool) {
	timeout := time.After(20 * time.Millisecond)
	for {
		select {
		case event := <-e.API.Events():
			if event.Kind != runtimeapi.Extension {
				return event, true
			}
		case <-timeout:
			return runtimeapi.Event{}, false
		}
	}
}

// Stop kills the bootstrap and everything it has started. The environment can be used for another Init.
func (e *Environment) Stop() error {
	if err := e.Environment.Stop(); err != nil {
		return err
	}
	e.API.Reset()
	return nil
}

// Close ends the environment and waits until it has ended.
func (e *Environment) Close() {
	e.Kill()
	<-e.Gone()
	if e.API != nil { // only now, because a running bootstrap would report that it lost the API
		e.API.Close()
	}
}
