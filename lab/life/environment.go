// Package life is the life of one execution environment: set up and blocked, INIT, invocations, INIT again after a crash, the end.
// What an ending means, in Lambda's words or in a report, is for its users to say: the lab, and what counts a package's pages.
package life

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/twinstart/twinstart/lab/runtimeapi"
	"github.com/twinstart/twinstart/lab/sandbox"
)

// Environment is a process tree in a root file system of its own, with its Runtime API.
type Environment struct {
	*sandbox.Environment
	API    *runtimeapi.Server
	output *output
}

// Begin sets an environment up to where its bootstrap waits to be started; what it writes goes to log. command says what is started, given
// the address of its Runtime API: the first of spec.Listen, if there is one. joined is called with process 1 before that sets anything up; nil does nothing.
func Begin(spec sandbox.Spec, log io.Writer, command func(api string) sandbox.Command, joined func(pid int) error) (_ *Environment, err error) {
	e := &Environment{}
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
		return nil, err
	}
	spec.Command, spec.Hostname = command(address), "lambda"
	var write *os.File
	if e.output, write, err = openOutput(log); err != nil {
		return nil, err
	}
	defer write.Close()
	if e.Environment, err = sandbox.Begin(spec, write); err != nil {
		return nil, err
	}
	if joined != nil {
		<-e.Alive() // so that what starting our own code took is not counted as the function's memory
		if err = joined(e.PID()); err != nil {
			return nil, fmt.Errorf("%w: %w", sandbox.ErrBroken, err)
		}
	}
	err = e.Ready()
	if listeners := e.Listeners(); err == nil && len(listeners) > 0 {
		e.API = runtimeapi.Serve(listeners[0])
	}
	return e, err
}

// Ending is what a wait for a bootstrap ended in.
type Ending int

// A bootstrap calls its Runtime API, or it ends. Unstarted is for Init alone.
const (
	Called    Ending = iota
	Delivered        // the event
	Unstarted        // the kernel did not execute it
	Exited
	Lost // its whole environment has ended
	Late // the context has
)

// News is what a bootstrap did last.
type News struct {
	Ending Ending
	Event  runtimeapi.Event // Called
	Exit   sandbox.Exit     // Exited
	Err    error            // Unstarted
	At     time.Time
}

// Wait waits for the bootstrap's next call, for its end, for that of ctx, or, unless it is nil, for the delivery of an event, for a
// bootstrap may end with it or before it has asked for it.
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

// lost tells of the end of the bootstrap if that came before the environment's.
func (e *Environment) lost() News {
	select {
	case exit := <-e.Exited:
		return News{Ending: Exited, Exit: exit, At: exit.At}
	default:
		return News{Ending: Lost, At: time.Now()}
	}
}

// Init releases the bootstrap and waits for the call that ends INIT, GET /next or POST /init/error, or for what prevents it. began is the
// moment of the release.
func (e *Environment) Init(ctx context.Context) (began time.Time, n News) {
	began = time.Now()
	if e.Release() != nil {
		return began, e.lost()
	}
	// Process 1 tells when it was released. The bootstrap's own call may overtake its word.
	select {
	case word := <-e.Started:
		if began = word.At; word.Err != nil {
			return began, News{Ending: Unstarted, Err: word.Err, At: time.Now()}
		}
	case <-e.Gone():
		return began, e.lost()
	case <-ctx.Done():
		return began, News{Ending: Late, At: time.Now()}
	}
	for {
		switch n = e.Wait(ctx, nil); {
		case n.Ending == Called && n.Event.Kind != runtimeapi.Next && n.Event.Kind != runtimeapi.InitError:
			continue
		case n.Ending == Exited:
			if event, ok := e.LastWords(); ok && event.Kind == runtimeapi.InitError {
				return began, News{Ending: Called, Event: event, At: event.At}
			}
		}
		return began, n
	}
}

// LastWords is a call that the bootstrap made right before it ended and that is still being read.
func (e *Environment) LastWords() (runtimeapi.Event, bool) {
	select {
	case event := <-e.API.Events():
		return event, true
	case <-time.After(20 * time.Millisecond):
		return runtimeapi.Event{}, false
	}
}

// Drain takes what was written before now: a bootstrap that asks for its next event has written all of this one's output.
func (e *Environment) Drain() { e.output.drain() }

// Stop kills the bootstrap and all that it has started, and keeps the environment for another Init.
func (e *Environment) Stop() error {
	if err := e.Environment.Stop(); err != nil {
		return err
	}
	e.API.Reset()
	return nil
}

// Close ends the environment and waits for its end.
func (e *Environment) Close() {
	if e.Environment != nil {
		e.Kill()
		<-e.Gone()
	}
	if e.API != nil { // only now, or the bootstrap would complain about its loss
		e.API.Close()
	}
	if e.output != nil {
		e.output.close()
	}
}
