package lab

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/twinstart/twinstart/lab/runtimeapi"
)

// failure says why an invocation or an INIT has no response.
type failure struct {
	timeout bool
	body    []byte // the bootstrap's own report
	kind    string // for example Runtime.ExitError
	message string
}

// exited returns the failure of a bootstrap that has ended. reason is "exit status 1" or "signal: killed".
func exited(reason string) *failure {
	message := "Runtime exited with error: " + reason
	if reason == "exit status 0" {
		message = "Runtime exited without providing a reason"
	}
	return &failure{kind: "Runtime.ExitError", message: message}
}

// reported returns the failure that a bootstrap posted to /error or /init/error.
func reported(e runtimeapi.Event) *failure {
	f := &failure{body: e.Body, kind: e.ErrorType}
	var document struct{ ErrorType string }
	if f.kind == "" && json.Unmarshal(e.Body, &document) == nil {
		f.kind = document.ErrorType
	}
	if f.kind == "" {
		f.kind = "Unhandled"
	}
	return f
}

// payload returns the caller's answer in Lambda's words.
func (f *failure) payload(requestID string, timeout time.Duration) []byte {
	if len(f.body) > 0 {
		return f.body
	}
	document := struct {
		ErrorType    string `json:"errorType,omitempty"`
		ErrorMessage string `json:"errorMessage"`
	}{f.kind, "RequestId: " + requestID + " Error: " + f.message}
	if f.timeout {
		document.ErrorType = "Sandbox.Timedout"
		document.ErrorMessage += fmt.Sprintf("Task timed out after %.2f seconds", timeout.Seconds())
	}
	text, _ := json.Marshal(document)
	return text
}

// timedOut returns Lambda's log line about a time-out.
func timedOut(requestID string, now time.Time, timeout time.Duration) string {
	return fmt.Sprintf("%s %s Task timed out after %.2f seconds", now.UTC().Format("2006-01-02T15:04:05.000Z"), requestID, timeout.Seconds())
}
