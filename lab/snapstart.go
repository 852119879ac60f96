package lab

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/life"
	"github.com/twinstart/twinstart/lab/sandbox/inside"
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
	e, failure := f.startAhead(snapStartInit, f.snapLimit())
	state := "Failed"
	if e != nil {
		state = "Active"
		if f.lab.options.Freeze {
			_ = e.life.Tell(inside.Freeze) // if it is gone, the restore finds out
		}
		f.offer(e)
	}
	f.mu.Lock()
	f.config.State, f.config.StateReason = state, failure
	f.mu.Unlock()
}

func (f *function) snapLimit() time.Duration {
	return max(time.Duration(f.config.TimeoutSeconds)*time.Second, f.lab.snapLimit)
}

// active returns Lambda's error for a version whose INIT is not over or has failed.
func (f *function) active() error {
	switch c := f.configuration(); c.State {
	case "Pending":
		return &api.Error{Status: http.StatusConflict, Code: "SnapStartNotReadyException",
			Message: "Lambda is initializing your function. You can invoke the function when the function state becomes Active."}
	case "Failed":
		return api.Conflict("The operation cannot be performed at this time. The function is currently in the following state: Failed")
	}
	return nil
}

// restore lets a held environment go on. A failure ends the environment.
func (e *environment) restore() error {
	if e.config.Initialization != snapStartInit || e.started || e.suppressInit {
		return nil
	}
	if !e.held {
		if init := e.ahead(e.function.snapLimit()); init.failure != nil {
			return e.unrestored(init.failure)
		}
	}
	e.thaw()
	e.held = false
	ctx, cancel := context.WithTimeout(context.Background(), e.function.lab.restoreLimit)
	defer cancel()
	began, n := e.life.Restore(ctx)
	r := initResult{took: n.At.Sub(began), failure: e.failure(n)}
	if n.Ending == life.Late {
		r.took = e.function.lab.restoreLimit
	}
	e.life.Drain()
	e.log.add(e.ended("restoreReport", event{Metrics: &metrics{DurationMs: millis(r.took)}}, r.failure), false)
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

// secrets returns what the Runtime API of an environment with SnapStart wants and gives out.
func (l *Lab) secrets(logStream string) (authorization string, keys []byte) {
	value := func(name string) string { return cmp.Or(l.options.Credentials[name], noCredentials[name]) }
	keys, _ = json.Marshal(map[string]string{"AccessKeyId": value("AWS_ACCESS_KEY_ID"), "SecretAccessKey": value("AWS_SECRET_ACCESS_KEY"),
		"Token": value("AWS_SESSION_TOKEN"), "Expiration": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
	return secret(logStream), keys
}

// secret is an environment's own: the random end of its log stream's name, which it does not know.
func secret(logStream string) string { return logStream[strings.LastIndexByte(logStream, ']')+1:] }
