package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"sync"

	"github.com/mattn/go-isatty"

	"github.com/twinstart/twinstart/packages/builder"
)

// display is a progress that names its subject, since the CDK CLI mixes what several calls say.
type display interface {
	builder.Progress
	about(image string)
	stop() // before the program ends
}

// newDisplay shows a bar per layer on a terminal, and a line per big layer elsewhere: the CDK CLI passes each line on.
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

// worthALine is the size from which a layer takes long enough to be told of: bytes.
const worthALine = 1e6

// Start tells of a layer when it begins; the call's last line says what became of all.
func (l *lines) Start(what string, bytes int64) builder.Task {
	if bytes >= worthALine {
		l.Note(fmt.Sprintf("%s, %s", what, bytesText(bytes)))
	}
	return nil
}

func (l *lines) stop() {}

// subject is the image that lines are about. The CDK CLI's images are known by the beginning of their asset's hash, which their names
// in the store and in ECR end with.
type subject struct{ image string }

var assetHash = regexp.MustCompile(`[0-9a-f]{64}$`)

func (s *subject) about(image string) {
	if hash := assetHash.FindString(image); hash != "" {
		image = hash[:12]
	}
	s.image = image + ": "
}

func (s *subject) line(text string) string { return "cdk-docker: " + s.image + text }
