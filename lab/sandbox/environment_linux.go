package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/lab/sandbox/inside"
	"github.com/twinstart/twinstart/lab/usage"
)

// Environment is an execution environment: process 1 and all that it has started.
type Environment struct {
	// Started and Exited get one message about the bootstrap for each release. Started also gets one for each extension
	// that cannot start, and Exited one for each extension that ends.
	Started chan Start
	Exited  chan Exit

	process   *os.Process
	control   *net.UnixConn
	output    *output
	listeners []net.Listener
	ready     chan error
	stopped   chan struct{}
	gone      chan struct{}
}

// Begin starts process 1 of an environment, which sets the environment up. The environment's standard output and error
// go to log. Begin returns at once; Ready waits until the environment is set up.
func Begin(spec Spec, log io.Writer) (*Environment, error) {
	e, err := Spawn(spec.Unprivileged, len(spec.Listen) > 0, nil)
	if err != nil {
		return nil, err
	}
	if err := e.SetUp(spec, log); err != nil {
		e.Kill()
		return nil, err
	}
	return e, nil
}

// SetUp tells process 1 which environment to set up. The environment's output goes to log.
func (e *Environment) SetUp(spec Spec, log io.Writer) error {
	e.output.to(log)
	text, err := json.Marshal(spec)
	if err == nil {
		_, err = e.control.Write(text)
	}
	if err != nil {
		return fmt.Errorf("%w: starting an execution environment: %w", ErrBroken, err)
	}
	return nil
}

// PID returns the process ID of process 1 on the host.
func (e *Environment) PID() int { return e.process.Pid }

// Ready waits until the environment is set up and process 1 is blocked.
func (e *Environment) Ready() error { return <-e.ready }

// Drain copies the output so far to the log. A bootstrap that asks for its next event has written all output of the
// current one.
func (e *Environment) Drain() { e.output.drain() }

// Gone returns a channel that is closed when process 1, and so the whole environment, has ended and its output is in
// the log.
func (e *Environment) Gone() <-chan struct{} { return e.gone }

// Tell sends process 1 a command, for example inside.Release.
func (e *Environment) Tell(what byte) error {
	if _, err := e.control.Write([]byte{what}); err != nil {
		return fmt.Errorf("telling process 1 of an execution environment: %w", err)
	}
	return nil
}

// Stop kills the bootstrap and all that it has started. Then the environment can be released again.
func (e *Environment) Stop() error {
	if err := e.Tell(inside.Stop); err != nil {
		return err
	}
	select {
	case <-e.stopped:
	case <-e.gone:
		return errors.New("stopping the bootstrap: the execution environment is gone")
	}
	for { // discard messages about the stopped bootstrap
		select {
		case <-e.Started:
		case <-e.Exited:
		default:
			return nil
		}
	}
}

// Kill ends the environment. It does not wait for the end; see Gone.
func (e *Environment) Kill() { _ = e.process.Kill() } // it may have ended

// Close ends the environment and waits for its end.
func (e *Environment) Close() { e.Kill(); <-e.gone }

// Root returns the host's path of the environment's root folder.
func (e *Environment) Root() string { return "/proc/" + strconv.Itoa(e.process.Pid) + "/root" }

// Listeners returns the listeners for Spec.Listen. They exist when the environment is ready.
func (e *Environment) Listeners() []net.Listener { return e.listeners }

// MemoryHighWaterKiB returns the sum of VmHWM over the environment's present processes, except process 1. Without a
// control group, no other figure of memory is known.
func (e *Environment) MemoryHighWaterKiB() (kib int64) {
	for pid := range usage.Tree(e.process.Pid) {
		text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
		if _, peak, found := strings.Cut(string(text), "VmHWM:"); found && pid != e.process.Pid {
			n, _ := strconv.ParseInt(strings.Fields(peak)[0], 10, 64)
			kib += n
		}
	}
	return kib
}
