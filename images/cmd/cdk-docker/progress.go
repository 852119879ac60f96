package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"sync"

	"github.com/mattn/go-isatty"

	"github.com/twinstart/twinstart/images/builder"
)

// display is a progress that names its subject, since the CDK CLI mixes what several calls say.
type display interface {
	builder.Progress
	about(image string)
	stop() // before the program ends
}

// newDisplay shows a bar per layer on a terminal, and a line per finished layer elsewhere: the CDK CLI passes each line on.
func newDisplay(w io.Writer) display {
	if f, ok := w.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		return newBars(w)
	}
	return &lines{w: w}
}

// lines writes whole lines, one at a time.
type lines struct {
	subject
	mu sync.Mutex
	w  io.Writer
}

func (l *lines) Note(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(l.w, l.line(line))
}

func (l *lines) Start(what string, bytes int64) builder.Task { return &lineTask{l, what, bytes} }

func (l *lines) stop() {}

type lineTask struct {
	lines *lines
	what  string
	bytes int64
}

func (t *lineTask) Add(int64) {}

// Done says nothing of what went wrong: the error that ends the program does.
func (t *lineTask) Done(err error) {
	if err == nil {
		t.lines.Note(fmt.Sprintf("%s, %s", t.what, bytesText(t.bytes)))
	}
}

// subject is the image that lines are about, shortened.
type subject struct{ image string }

var long = regexp.MustCompile(`[0-9a-f]{32,}`)

func (s *subject) about(image string) {
	s.image = long.ReplaceAllStringFunc(image, func(hash string) string { return hash[:12] }) + ": "
}

func (s *subject) line(text string) string { return "cdk-docker: " + s.image + text }
