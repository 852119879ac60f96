package lab

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/life"
	"github.com/twinstart/twinstart/lab/runtimeapi"
)

// snapStartInit is AWS_LAMBDA_INITIALIZATION_TYPE of a version with SnapStart.
//
// The lab makes no snapshot. It runs INIT when the version is published and holds that environment in GET
// /restore/next until the first invocation. An environment beside it runs an INIT of its own, which is not reported.
// So hooks and errors are Lambda's, and the time of a restore is not measured here.
const snapStartInit = "snap-start"

// Lambda's limits. https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks.html
const (
	defaultSnapLimit    = 130 * time.Second
	defaultRestoreLimit = 10 * time.Second
)

// snapshot runs INIT of a version that was just published.
func (f *function) snapshot() {
	c := f.configuration()
	f.mu.Lock()
	generation := f.generation
	f.mu.Unlock()
	state, reason := "Active", ""
	e, err := f.prepare(c, generation)
	if err != nil {
		state, reason = "Failed", err.Error()
	} else if init := e.hold(); init.failure != nil {
		state, reason = "Failed", cmp.Or(init.failure.kind, "Sandbox.Timedout")+": "+string(init.failure.payload("", e.snapLimit()))
		e.close()
	}
	f.mu.Lock()
	f.config.State, f.config.StateReason = state, reason
	f.mu.Unlock()
	if state == "Active" {
		f.offer(e)
	}
}

func (e *environment) snapLimit() time.Duration {
	return max(time.Duration(e.config.TimeoutSeconds)*time.Second, e.function.lab.snapLimit)
}

// hold runs INIT up to GET /restore/next.
func (e *environment) hold() initResult {
	f := e.function
	f.mu.Lock()
	f.busy[e] = true // so that it ends with the lab
	f.mu.Unlock()
	init := e.start(e.snapLimit())
	f.mu.Lock()
	delete(f.busy, e)
	f.mu.Unlock()
	e.life.Drain()
	e.log.print(e.platform().initReport(init, "init"))
	e.log.take()
	if init.failure == nil && f.lab.options.Freeze {
		_ = e.life.Freeze() // if it is gone, the restore finds out
	}
	return init
}

// active returns Lambda's error for a version whose INIT is not over or has failed.
func (f *function) active() error {
	switch c := f.configuration(); c.State {
	case "Pending":
		return &api.Error{Status: http.StatusConflict, Code: "SnapStartNotReadyException",
			Message: "Lambda is initializing your function. You can invoke the function when the function state becomes Active."}
	case "Failed":
		return &api.Error{Status: http.StatusConflict, Code: "ResourceConflictException",
			Message: "The operation cannot be performed at this time. The function is currently in the following state: Failed"}
	}
	return nil
}

// restore lets a held environment go on. A failure ends the environment.
func (e *environment) restore() error {
	if e.config.Initialization != snapStartInit || e.started || e.suppressInit {
		return nil
	}
	if !e.held {
		if init := e.hold(); init.failure != nil {
			return e.unrestored(init.failure)
		}
	}
	e.thaw()
	e.held = false
	e.log.add(e.platform().restoreStart(e.config), false)
	ctx, cancel := context.WithTimeout(context.Background(), e.function.lab.restoreLimit)
	defer cancel()
	began, n := e.life.Restore(ctx)
	r := initResult{took: n.At.Sub(began), failure: e.failure(n)}
	if n.Ending == life.Late {
		r.took = e.function.lab.restoreLimit
	}
	e.life.Drain()
	e.log.add(e.platform().restoreReport(r), false)
	if r.failure != nil {
		return e.unrestored(r.failure)
	}
	e.started, e.toldRestore = true, &r.took
	return nil
}

// unrestored ends an environment whose restore failed, and returns Lambda's error for the caller.
func (e *environment) unrestored(f *failure) error {
	e.generation = -1
	e.log.take()
	if f.timeout {
		return &api.Error{Status: http.StatusRequestTimeout, Code: "SnapStartTimeoutException", Message: "Lambda couldn't restore the snapshot within the timeout limit."}
	}
	return &api.Error{Status: http.StatusBadRequest, Code: "SnapStartException",
		Message: "The afterRestore() runtime hook encountered an error. For more information, check the Amazon CloudWatch logs."}
}

// credentials returns what the Runtime API of an environment with SnapStart gives out.
func (l *Lab) credentials(logStream string) runtimeapi.Credentials {
	value := func(name string) string { return cmp.Or(l.options.Credentials[name], noCredentials[name]) }
	return runtimeapi.Credentials{AccessKeyID: value("AWS_ACCESS_KEY_ID"), SecretAccessKey: value("AWS_SECRET_ACCESS_KEY"), Token: value("AWS_SESSION_TOKEN"),
		Expiration: time.Now().Add(time.Hour).UTC(), Authorization: authorization(logStream)}
}

// authorization is an environment's own secret: the random end of its log stream's name, which it does not know.
func authorization(logStream string) string {
	_, secret, _ := strings.Cut(logStream, "]")
	return secret
}
