package lab

import (
	"context"
	"strings"
	"time"

	"github.com/twinstart/twinstart/lab/cgroup"
	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/lab/life"
	"github.com/twinstart/twinstart/lab/runtimeapi"
)

// initResult says how INIT went.
type initResult struct {
	took    time.Duration
	failure *failure // nil if the bootstrap asked for its first event
}

// start runs the bootstrap until its first GET /next, at most for limit.
func (e *environment) start(limit time.Duration) initResult {
	if !e.function.lab.store.Loop {
		e.function.pkg.Drop() //nolint:errcheck // if the package stays warm, the KiB that are read show it
	}
	phase := "init"
	if e.suppressInit {
		phase = "invoke"
	}
	e.log.add(e.platform().initStart(e.config, phase), false)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	began, n := e.life.Init(ctx)
	r := initResult{took: n.At.Sub(began), failure: e.failure(n)}
	if n.Ending == life.Late {
		r.took = limit
	}
	e.started = r.failure == nil
	return r
}

// failure translates what a bootstrap did into Lambda's words. It returns nil for GET /next.
func (e *environment) failure(n life.News) *failure {
	switch n.Ending {
	case life.Called:
		if n.Event.Kind == runtimeapi.Next {
			return nil
		}
		return reported(n.Event)
	case life.Unstarted:
		message := n.Err.Error()
		if built := deployment.Built(e.life.Root() + e.program); built != "" && string(built) != e.config.Architecture {
			message += ": it is built for " + string(built) + ", the function is for " + e.config.Architecture
		}
		return &failure{kind: "Runtime.InvalidEntrypoint", message: message}
	case life.Late:
		return &failure{timeout: true}
	}
	f := exited("signal: killed")
	if n.Ending == life.Exited {
		f = exited(n.Exit.Reason())
		if n.Exit.Extension != "" {
			f = &failure{kind: "Extension.Crash", message: n.Exit.Reason() + ": " + n.Exit.Extension}
		}
		if _, ok := e.group.PeakMemory(); !ok {
			e.peak = max(e.peak, n.Exit.MaxRSSKiB<<10)
		}
	}
	if e.group.OOMKilled() && strings.HasSuffix(f.message, "signal: killed") {
		f.kind = "Runtime.OutOfMemory" // Lambda's name for this error
	}
	return f
}

// stop ends the bootstrap and what it has started. It keeps the environment, and the next invocation runs INIT
// again.
func (e *environment) stop() {
	e.started, e.suppressInit = false, true
	// Process 1 is in the group and kills from there: with a small function's share of a CPU, to end a fork bomb
	// would take seconds.
	if e.throttled && e.group.SetCPU(cgroup.Unlimited) == nil {
		e.throttled = false
	}
	_ = e.life.Stop() // fails if the environment is gone, and the next invocation finds that out
}
