package lab

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/twinstart/twinstart/lab/api"
)

// provisionedInit is AWS_LAMBDA_INITIALIZATION_TYPE of a provisioned environment, whose INIT runs before any
// invocation.
const provisionedInit = "provisioned-concurrency"

// Provision changes how many environments of name:version are kept ready. Missing ones start in the background.
func (l *Lab) Provision(name string, n int) error {
	f, err := l.find(name)
	if err != nil {
		return err
	}
	if f.source.SnapStart {
		return api.Invalid("Provisioned Concurrency is not supported for functions enabled with SnapStart: " + name)
	}
	if n > cap(l.slots) {
		return api.Invalid("Specified ProvisionedConcurrentExecutions are more than the lab's concurrency")
	}
	f.mu.Lock()
	f.provisioned = api.Provisioned{Requested: n, Since: time.Now()}
	f.mu.Unlock()
	f.reap(time.Time{})
	f.provision()
	return nil
}

// Provisioned returns how many environments of name:version are ready.
func (l *Lab) Provisioned(name string) (api.Provisioned, error) {
	f, err := l.find(name)
	if err != nil {
		return api.Provisioned{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.provisioned.Ready = f.ahead()
	return f.provisioned, nil
}

// ahead returns the number of provisioned environments. The caller holds f.mu.
func (f *function) ahead() (n int) {
	for _, e := range slices.AppendSeq(slices.Clone(f.idle), maps.Keys(f.busy)) {
		if e.provisioned {
			n++
		}
	}
	return n
}

// provision starts, in the background, the provisioned environments that are missing.
func (f *function) provision() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ; !f.closed && f.ahead()+f.coming < f.provisioned.Requested; f.coming++ {
		go func() {
			e, err := f.startAhead(provisionedInit, f.lab.initLimit)
			f.mu.Lock()
			defer f.mu.Unlock()
			f.coming--
			switch {
			case err != "":
				f.provisioned.Failure = err
			case f.closed:
				e.close()
			default:
				f.rest(e)
			}
		}()
	}
}

// startAhead starts one environment before there is an invocation for it: a provisioned environment, whose INIT has the
// function's share of the CPU, or one with SnapStart.
func (f *function) startAhead(kind string, limit time.Duration) (_ *environment, failure string) {
	f.mu.Lock()
	of := f.setting
	f.mu.Unlock()
	of.config.Initialization = kind
	e, err := f.prepare(of)
	if err != nil {
		return nil, err.Error()
	}
	f.mu.Lock()
	f.busy[e] = true // so that it ends with the lab
	f.mu.Unlock()
	took, why := e.ahead(limit)
	f.mu.Lock()
	delete(f.busy, e)
	f.mu.Unlock()
	if why != nil {
		e.close()
		return nil, cmp.Or(why.kind, "Sandbox.Timedout") + ": " + cmp.Or(why.message, string(why.body))
	}
	if kind == provisionedInit {
		e.provisioned, e.toldInit = true, took
	}
	return e, ""
}

// ahead runs INIT before there is an invocation. Its lines are in the log, but in no caller's log tail.
func (e *environment) ahead(limit time.Duration) (took time.Duration, why *failure) {
	took, why = e.start(limit)
	e.life.Drain()
	e.log.add(e.initReport(took, why, "init"), false)
	e.log.take()
	return took, why
}
