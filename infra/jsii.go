package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/powertuning"
)

// tooMany matches messages about a stack that is too large.
var tooMany = regexp.MustCompile(`Number of resources in stack '[^']*': \d+ is greater than allowed maximum of \d+|` +
	`props Functions and Patterns have \d+ functions: a role has room for the rights on \d+`)

// catch turns a panic, by which the CDK reports errors, into a one-line error. A mistake of this program, a
// runtime.Error, keeps its stack trace. If a stack is too large, the error says what to leave out.
func catch(f func() error) (err error) {
	defer func() {
		thrown := recover()
		if mistake, is := thrown.(runtime.Error); is {
			panic(mistake)
		}
		if failure, is := thrown.(error); is && errors.Is(failure, exec.ErrNotFound) { // jsii starts only Node
			thrown = fmt.Errorf("starting the CDK: %w: install Node.js 20 or later", failure)
		}
		if thrown != nil {
			err = errors.New(oneLine(fmt.Sprint(thrown)))
		}
		if found := tooMany.FindString(fmt.Sprint(err)); found != "" {
			err = errors.New(found + ": choose fewer arms (-c arms), memory sizes (-c memory) or parts (-c observe=none)")
		}
	}()
	return f()
}

// oneLine returns the part of a JavaScript error before its stack trace, in one line.
func oneLine(message string) string {
	message, _, _ = strings.Cut(message, "\n    at ")
	return list.OneLine(message)
}

// standIn replaces os.Stderr, to which jsii writes, with a pipe. It copies the pipe to standard error until ctx ends,
// because a terminal also interrupts jsii's process, which then writes a stack trace. end copies the rest. After end
// nothing is copied: jsii-runtime-go waits for its process twice, and the second wait reports "Runtime process exited
// abnormally: waitid: no child processes".
func standIn(ctx context.Context) (end func()) {
	stderr := os.Stderr
	out, in, err := os.Pipe()
	if err != nil { // no descriptors are left; something else will report that
		return func() {}
	}
	os.Stderr = in
	passed := make(chan struct{})
	go func() {
		defer close(passed)
		_, _ = io.Copy(until{ctx, stderr}, out)
	}()
	return func() {
		in.Close()
		<-passed
		out.Close()
	}
}

// until writes until ctx ends, and drops what comes later.
type until struct {
	ctx context.Context
	to  io.Writer
}

func (u until) Write(b []byte) (int, error) {
	if u.ctx.Err() == nil {
		_, _ = u.to.Write(b) // an error cannot be reported anywhere
	}
	return len(b), nil
}

// stepsProgram returns the folder with the program of the tuning's steps. If the program is newer than this app, it is
// up to date, because infra/app builds the app again when a source of either has changed. A warm synth would take a
// quarter longer if Go were asked each time.
func stepsProgram(a arm.Architecture) (string, error) {
	link := filepath.Join(buildDir, "tunestep-"+string(a))
	name, err1 := os.Executable()
	app, err2 := os.Stat(name)
	built, err3 := os.Lstat(link)
	dir, err4 := filepath.EvalSymlinks(link)
	if errors.Join(err1, err2, err3, err4) == nil && built.ModTime().After(app.ModTime()) {
		return dir, nil
	}
	dir, err := powertuning.Build("", string(a))
	if err != nil {
		return "", fmt.Errorf("power tuning: %w", err)
	}
	_ = os.Remove(link)
	_ = os.Symlink(dir, link) // without it the next synth builds again
	return dir, nil
}

// buildDir is shared with `make bootstraps`.
const buildDir = "build"

// interruptible passes its own context to builds, because constructs have none to pass.
type interruptible struct {
	ctx     context.Context
	builder bashfunction.Builder
}

func (i interruptible) ZIP(_ context.Context, bootstrap string, a arm.Architecture, dir string) (string, error) {
	return i.builder.ZIP(i.ctx, bootstrap, a, dir)
}

func (i interruptible) ImageContext(
	_ context.Context, p arm.Package, bootstrap string, a arm.Architecture, dir string,
) (string, error) {
	return i.builder.ImageContext(i.ctx, p, bootstrap, a, dir)
}
