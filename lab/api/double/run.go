package double

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/api"
)

// Run is an invocation to be answered.
type Run struct {
	api.Configuration        // configuration of the invoked version
	Payload           []byte // the event
	Cold              bool   // the first invocation of this version, or of $LATEST since its last update; with SnapStart of an environment
	Restored          bool   // and it was restored from a snapshot
	N                 int    // number of this invocation among all, from 1
	RequestID         string
}

// Answer is the outcome of an invocation.
type Answer struct {
	DurationMs, InitMs, RestoreMs float64 // InitMs and RestoreMs are 0 if there was no INIT or restore
	UsedMB                        int
	Status                        string     // in REPORT: "timeout", "error\tError Type: Runtime.ExitError"; "" means success
	FunctionError                 string     // payload of a function error; "" means success
	Payload                       string     // "" means {}
	Log                           string     // replaces Lines
	Error                         *api.Error // the error if the function did not run
}

// Working answers like a function that needs 50 ms of INIT and 100 ms of CPU, so its duration falls with more
// memory up to 1,769 MB.
func Working(r Run) Answer {
	a := Answer{DurationMs: 100 / min(1, arm.VCPUs(r.MemorySizeMB)), UsedMB: 60}
	switch {
	case r.Restored:
		a.RestoreMs = 200
	case r.Cold:
		a.InitMs = 50
	}
	return a
}

// crashed reports whether the environment has ended.
func (a Answer) crashed() bool {
	return strings.HasPrefix(a.Status, "timeout") || strings.Contains(a.Status, "Runtime.")
}

// Lines returns the log of the invocation: START, END and REPORT as Lambda writes them.
func (a Answer) Lines(r Run) string {
	var b strings.Builder
	fmt.Fprintf(&b, "START RequestId: %s Version: %s\nEND RequestId: %[1]s\nREPORT RequestId: %[1]s\tDuration: %.2[3]f ms\tBilled Duration: %.0[4]f ms\tMemory Size: %[5]d MB\tMax Memory Used: %[6]d MB\t",
		r.RequestID, r.Version, a.DurationMs, math.Ceil(a.DurationMs+a.InitMs), r.MemorySizeMB, a.UsedMB)
	if a.InitMs > 0 {
		fmt.Fprintf(&b, "Init Duration: %.2f ms\t", a.InitMs)
	}
	if a.RestoreMs > 0 {
		fmt.Fprintf(&b, "Restore Duration: %.2f ms\tBilled Restore Duration: %.0f ms\t", a.RestoreMs, math.Ceil(a.RestoreMs))
	}
	if a.Status != "" {
		b.WriteString("Status: " + a.Status + "\t")
	}
	return b.String() + "\n"
}

// Invoke implements api.Backend.
func (d *Lambda) Invoke(_ context.Context, name string, in api.Invocation) (api.Result, error) {
	r, err := d.begin(name, in)
	if err != nil {
		return api.Result{}, err
	}
	a := d.Run(r)
	d.mu.Lock()
	d.inside--
	if f, err := d.find(r.Name); err == nil && r.SnapStart && !a.crashed() {
		f.idle[r.Version]++
	}
	d.mu.Unlock()
	if a.Error != nil {
		return api.Result{}, a.Error
	}
	result := api.Result{RequestID: in.RequestID, Payload: []byte(a.Payload), Log: []byte(a.Log)}
	if a.Log == "" {
		result.Log = []byte(a.Lines(r))
	}
	if a.FunctionError != "" {
		result.FunctionError, result.Payload = "Unhandled", []byte(a.FunctionError)
	} else if a.Payload == "" {
		result.Payload = []byte("{}")
	}
	return result, nil
}

func (d *Lambda) begin(name string, in api.Invocation) (r Run, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	base, qualifier, isQualified := strings.Cut(name, ":")
	f, err := d.find(base)
	if err != nil {
		return r, err
	}
	r = Run{Configuration: f.latest, Payload: in.Payload, RequestID: in.RequestID}
	updating := f.updating()
	if isQualified {
		if r.Configuration, err = f.qualified(qualifier); err != nil {
			return r, err
		}
		updating = false
	}
	if r.State == inactive { // the call activates the function and is refused
		f.latest.State, f.busy = pending, max(1, d.InProgress)
	}
	if r.State == failed {
		return r, api.Conflict("The operation cannot be performed at this time. The function is currently in the following state: Failed")
	}
	if r.SnapStart && r.State == pending {
		return r, &api.Error{Status: http.StatusConflict, Code: "SnapStartNotReadyException", Message: "Lambda is initializing your function. It will be ready to invoke once your function state becomes ACTIVE."}
	}
	if r.State == inactive || r.State == pending {
		return r, api.Conflict("The operation cannot be performed at this time. The function is currently in the following state: Pending")
	}
	d.runs++
	d.inside++
	d.widest = max(d.widest, d.inside)
	r.N = d.runs
	// During an update the function still serves from its old environments.
	r.Cold = !updating && !f.warm[r.Version]
	if isQualified && r.SnapStart { // $LATEST has no snapshot
		r.Cold = f.idle[r.Version] == 0
		r.Restored = r.Cold
		f.idle[r.Version] = max(0, f.idle[r.Version]-1)
	}
	if !updating {
		f.warm[r.Version] = true
	}
	return r, nil
}
