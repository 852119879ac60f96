//go:build linux

package perevent

import (
	"errors"
	"syscall"

	"github.com/twinstart/twinstart/runtime/phases"
	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

// NewTransport returns a connection to the Runtime API at an address.
type NewTransport func(address, userAgent string) runtimeapi.Transport

// Main is a whole bootstrap. It runs the handler with events from the Runtime API; the environment names both. If it
// cannot go on, it writes one line to stderr and returns the exit status. args is os.Args.
func Main(name string, args []string, transport NewTransport) int {
	client, handler, err := Start(name, args, transport)
	if err == nil {
		err = serve(client, NewRunner(handler, syscall.Environ()))
	}
	Log(err.Error())
	return 1
}

// Start does INIT. It looks for the handler below LAMBDA_TASK_ROOT. The handler's name is in _HANDLER, or else in the
// first argument (an image's CMD). If the handler is at fault, Start reports the error to the API before it returns.
func Start(name string, args []string, transport NewTransport) (*runtimeapi.Client, *Handler, error) {
	setting, _ := syscall.Getenv("TWINSTART_PHASES")
	phases.Start(setting)
	address, _ := syscall.Getenv("AWS_LAMBDA_RUNTIME_API")
	if address == "" {
		return nil, nil, errors.New("AWS_LAMBDA_RUNTIME_API is not set: start this program as a Lambda function's bootstrap")
	}
	client := &runtimeapi.Client{Transport: transport(address, runtimeapi.UserAgent(name)), Log: Log}
	root, _ := syscall.Getenv("LAMBDA_TASK_ROOT")
	if root == "" {
		root = "/var/task"
	}
	handlerName, _ := syscall.Getenv("_HANDLER")
	if handlerName == "" && len(args) > 1 {
		handlerName = args[1]
	}
	handler, failure := Resolve(root, handlerName)
	phases.Mark("main")
	if failure != nil {
		return nil, nil, client.FailInit(failure)
	}
	if kind, _ := syscall.Getenv("AWS_LAMBDA_INITIALIZATION_TYPE"); kind != "snap-start" {
		return client, handler, nil
	}
	return client, handler, client.Snapshot(func() *runtimeapi.Error {
		failure := handler.hook("before_snapshot", runtimeapi.BeforeSnapshotError)
		WriteLog(phases.InitEnds())
		return failure
	}, func() *runtimeapi.Error { return handler.hook("after_restore", runtimeapi.AfterRestoreError) })
}

// hook calls a function of the handler's file, if the file defines it, in a new process. Its stdout is the log.
func (h *Handler) hook(name, kind string) *runtimeapi.Error {
	if h.Function == "" {
		return nil
	}
	runner := NewRunner(h, syscall.Environ())
	runner.argv = []string{shell, "-c", hookScript, "bash", h.File, name}
	_, failure := runner.run(&runtimeapi.Invocation{})
	if failure != nil {
		failure.Type = kind
	}
	return failure
}

// serve handles events until the Runtime API fails, and returns that error.
func serve(client *runtimeapi.Client, runner *Runner) error {
	WriteLog(phases.InitEnds())
	for {
		inv, err := client.Next()
		if err != nil {
			return err
		}
		id := inv.Context[runtimeapi.RequestID]
		if response, failure := runner.Run(inv); failure != nil {
			Log(id + ": " + failure.Error())
			err = client.Fail(id, failure)
		} else {
			err = client.Succeed(id, response)
		}
		phases.Mark("responseSent")
		WriteLog(phases.EventEnds())
		if err != nil {
			return err
		}
	}
}

// Log writes one line to the log.
func Log(line string) { WriteLog([]byte("twinstart: " + line + "\n")) }
