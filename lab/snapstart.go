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
// The lab takes no snapshot. It runs INIT when the version is published, and holds that environment in GET
// /restore/next until the first invocation. Each further environment runs INIT itself, and no REPORT shows
// that INIT. So hooks and errors are as on Lambda, but the lab cannot measure the time of a restore.
const snapStartInit = "snap-start"

// Lambda's limits. https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks.html
const (
	defaultSnapLimit    = 130 * time.Second
	defaultRestoreLimit = 10 * time.Second
)

// snapshot runs INIT of a version that has just been published.
func (f *function) snapshot() {
	e, failure := f.startAhead(snapStartInit, f.snapLimit())
	state := api.Failed
	if e != nil {
		state = api.Active
		if f.lab.options.Freeze {
			_ = e.life.Tell(inside.Freeze) // fails if the environment is gone, which the restore notices
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

// restore restores a held environment, or a new one after its INIT. A failure ends the environment.
func (e *environment) restore() error {
	if e.config.Initialization != snapStartInit || e.started || e.suppressInit {
		return nil
	}
	if !e.held {
		if _, why := e.ahead(e.function.snapLimit()); why != nil {
			return e.unrestored(why)
		}
	}
	e.thaw()
	e.held = false
	ctx, cancel := context.WithTimeout(context.Background(), e.function.lab.restoreLimit)
	defer cancel()
	began, n := e.life.Restore(ctx)
	took, failure := n.At.Sub(began), e.failure(n)
	if n.Ending == life.Late {
		took = e.function.lab.restoreLimit
	}
	e.life.Drain()
	e.log.add(e.ended("restoreReport", event{Metrics: &metrics{DurationMs: millis(took)}}, failure), false)
	if failure != nil {
		return e.unrestored(failure)
	}
	e.started, e.toldRestore = true, &took
	return nil
}

// unrestored ends an environment whose restore failed, and returns Lambda's error for the caller.
func (e *environment) unrestored(f *failure) error {
	e.generation = -1
	e.log.take()
	if f.timeout {
		return api.NewError(http.StatusRequestTimeout, "SnapStartTimeoutException",
			"Lambda couldn't restore the snapshot within the timeout limit.")
	}
	return api.NewError(http.StatusBadRequest, "SnapStartException",
		"The afterRestore() runtime hook encountered an error. For more information, check the Amazon CloudWatch logs.")
}

// secrets returns the keys that the Runtime API of an environment with SnapStart gives out, and the authorization that
// it expects for them.
func (l *Lab) secrets(logStream string) (authorization string, keys []byte) {
	value := func(name string) string { return cmp.Or(l.options.Credentials[name], noCredentials[name]) }
	keys, _ = json.Marshal(map[string]string{
		"AccessKeyId": value("AWS_ACCESS_KEY_ID"), "SecretAccessKey": value("AWS_SECRET_ACCESS_KEY"),
		"Token": value("AWS_SESSION_TOKEN"), "Expiration": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
	return secret(logStream), keys
}

// secret returns an environment's authorization: the random end of its log stream's name. An environment with SnapStart
// does not get that name.
func secret(logStream string) string { return logStream[strings.LastIndexByte(logStream, ']')+1:] }
