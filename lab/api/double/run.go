package double

import (
	"fmt"
	"math"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/api"
)

// Run is an invocation that Lambda.Run answers.
type Run struct {
	api.Configuration        // configuration of the invoked version
	Payload           []byte // the event
	Cold              bool   // it is the first of the version, of $LATEST since an update, or of a restored environment
	Restored          bool   // with SnapStart: this invocation's environment was just restored from a snapshot
	N                 int    // number of this invocation among all, from 1
	RequestID         string
}

// Answer is the outcome of an invocation.
type Answer struct {
	DurationMs, InitMs, RestoreMs float64 // InitMs and RestoreMs are 0 if there was no INIT or restore
	UsedMB                        int
	Status                        string     // in REPORT: for example "error\tError Type: Runtime.ExitError", or ""
	FunctionError                 string     // payload of a function error; "" means success
	Payload                       string     // "" means {}
	Log                           string     // "" means Lines
	Error                         *api.Error // answers the call as if the function had not run
}

// Working answers like a function that needs 50 ms of INIT and 100 ms of CPU. Its duration falls with more memory, up
// to 1,769 MB.
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
	fmt.Fprintf(&b, "START RequestId: %s Version: %s\nEND RequestId: %[1]s\nREPORT RequestId: %[1]s\t"+
		"Duration: %.2[3]f ms\tBilled Duration: %.0[4]f ms\tMemory Size: %[5]d MB\tMax Memory Used: %[6]d MB\t",
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
