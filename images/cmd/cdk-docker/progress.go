package main

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/mattn/go-isatty"

	"github.com/twinstart/twinstart/images/builder"
)

// newProgress shows a bar per layer on a terminal, and a line per finished layer elsewhere: the CDK CLI passes each line on.
// stop ends it before the program does.
func newProgress(w io.Writer) (p builder.Progress, stop func()) {
	if f, ok := w.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		return newBars(w)
	}
	return &lines{w: w}, func() {}
}

// lines writes whole lines, one at a time.
type lines struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lines) Note(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(l.w, "cdk-docker: "+line)
}

func (l *lines) Start(what string, bytes int64) builder.Task { return &lineTask{l, what, bytes} }

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
