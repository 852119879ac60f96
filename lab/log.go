package lab

import (
	"bytes"
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

// logWriter receives whole lines of every function and adds a time and the function's name, as `aws logs tail`
// shows them.
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

func (w *logWriter) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failure
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

// print writes lines of Lambda's own. If the function has left a line unfinished, print ends it first.
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

// report has what Lambda reports at the end of an invocation, and what the lab adds.
type report struct {
	requestID string
	duration  time.Duration
	init      time.Duration  // 0 if INIT did not run separately from the invocation
	ahead     time.Duration  // INIT of a provisioned environment: not waited for, not billed with this invocation
	restore   *time.Duration // in place of INIT: from the answer to GET /restore/next until GET /next
	maxMemory int            // MB
	failure   *failure       // of the bootstrap; a failure that it reported itself is not here
	reported  *failure
	initRead  *coldfs.Read   // cold start: pages read until GET /next
	firstRead *coldfs.Read   // cold start with a response: pages read until then
	initUsed  *usage.Usage   // cold start: used until GET /next
	firstUsed *usage.Usage   // cold start: used from there to the first response
	counted   *counts.Counts // cold start: counts of the package
}

// billed returns the billed duration in whole ms. Since August 2025 INIT is billed for every runtime: INIT and
// duration are added and rounded up once.
func (r report) billed() int64 { return int64(math.Ceil(ms(r.duration) + ms(r.init))) }

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
