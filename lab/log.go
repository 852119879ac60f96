package lab

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/twinstart/twinstart/arm/counts"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/runtimeapi"
	"github.com/twinstart/twinstart/lab/usage"
)

// logWriter writes whole lines of all functions, each with a time and the function's name, as `aws logs tail` does.
type logWriter struct {
	mu      sync.Mutex
	out     io.Writer // nil discards the lines
	failure error
}

func (w *logWriter) lines(function string, text []byte) {
	if w.out == nil || len(text) == 0 {
		return
	}
	now := time.Now().UTC().Format(timeFormat)
	var b bytes.Buffer
	for line := range bytes.Lines(text) {
		fmt.Fprintf(&b, "%s %s %s", now, function, line)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.out.Write(b.Bytes()); err != nil && w.failure == nil {
		w.failure = fmt.Errorf("writing the log: %w", err)
	}
}

// stream is the log of one execution environment: the output of its processes, and the lines that Lambda adds.
type stream struct {
	function string
	to       *logWriter

	mu      sync.Mutex
	partial []byte // the start of a line whose end has not arrived
	tail    []byte // the end of the current invocation's log
}

// Write receives the output of a function.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(p)
	s.partial = append(s.partial, p...)
	if i := bytes.LastIndexByte(s.partial, '\n'); i >= 0 {
		s.to.lines(s.function, s.partial[:i+1])
		s.partial = append(s.partial[:0], s.partial[i+1:]...)
	}
	if len(s.partial) > 256<<10 { // the largest event that CloudWatch accepts
		s.endLine()
	}
	return len(p), nil
}

// print writes lines that Lambda adds. If the function has left a line unfinished, print ends that line first.
func (s *stream) print(lines string) { s.add(lines, true) }

// add writes lines like print. If shown is true, the caller sees them too.
func (s *stream) add(lines string, shown bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLine()
	if shown {
		s.keep([]byte(lines))
	}
	s.to.lines(s.function, []byte(lines))
}

func (s *stream) endLine() {
	if len(s.partial) == 0 {
		return
	}
	s.to.lines(s.function, append(s.partial, '\n'))
	s.partial = s.partial[:0]
	s.keep([]byte{'\n'})
}

func (s *stream) keep(p []byte) {
	s.tail = append(s.tail, p[max(0, len(p)-api.LogTail):]...)
	if len(s.tail) > 4*api.LogTail {
		s.tail = append(s.tail[:0], s.tail[len(s.tail)-api.LogTail:]...)
	}
}

// take returns the end of the log since the previous take.
func (s *stream) take() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	tail := bytes.Clone(s.tail[max(0, len(s.tail)-api.LogTail):])
	s.tail = s.tail[:0]
	return tail
}

// report has what Lambda reports at the end of an invocation, and what the lab adds to that.
type report struct {
	requestID string
	duration  time.Duration
	init      time.Duration  // 0 if INIT did not run separately from the invocation
	ahead     time.Duration  // INIT of a provisioned environment, which is not billed with this invocation
	restore   *time.Duration // in place of INIT: from the answer to GET /restore/next until GET /next
	maxMemory int            // MB
	failure   *failure       // why there is no response
	reported  *failure       // a failure that the bootstrap reported itself

	// The other fields are for cold starts.

	initRead  *coldfs.Read   // pages that were read until GET /next
	firstRead *coldfs.Read   // pages that were read until the first response, if there was one
	initUsed  *usage.Usage   // what was used until GET /next
	firstUsed *usage.Usage   // what was used from GET /next to the first response
	counted   *counts.Counts // counts of the package
}

// billed returns the billed duration in whole ms. Since August 2025 INIT is billed for every runtime: INIT and
// duration are added and rounded up once.
func (r report) billed() int64 { return int64(math.Ceil(ms(r.duration) + ms(r.init))) }

// failure says why an invocation has no response, or why INIT failed.
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
	var document struct{ ErrorType string }
	_ = json.Unmarshal(e.Body, &document) // it may be anything
	return &failure{body: e.Body, kind: cmp.Or(e.ErrorType, document.ErrorType, "Unhandled")}
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
