package lab

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/twinstart/twinstart/lab/api"
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
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
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
