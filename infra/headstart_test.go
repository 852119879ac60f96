package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
)

// asked notes what a builder is asked for.
type asked struct {
	mu    sync.Mutex
	calls []string
}

func (b *asked) note(call string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, call)
	return "", nil
}

func (b *asked) ZIP(_ context.Context, bootstrap string, a arm.Architecture, handlerDir string) (string, error) {
	return b.note(fmt.Sprintln(arm.ID(bootstrap, arm.ZIP), a, handlerDir))
}

func (b *asked) ImageContext(_ context.Context, p arm.Package, bootstrap string, a arm.Architecture, handlerDir string) (string, error) {
	return b.note(fmt.Sprintln(arm.ID(bootstrap, p), a, handlerDir))
}

// What is built ahead is what the constructs ask for, neither more nor less.
func TestHeadStart(t *testing.T) {
	project(t)
	ahead := &asked{}
	headStart(t.Context(), `{"arms":"nethttp/*,*/zip","architecture":"x86_64","handler":"hello","@aws-cdk/core:x":true}`, ahead)
	later := &recorder{fakePackages: fakePackages{dir: t.TempDir()}}
	app := newApp(t, "", map[string]any{"arms": "nethttp/*,*/zip", "architecture": "x86_64", "handler": "hello"})
	if _, err := define(app, later); err != nil {
		t.Fatal(err)
	}
	if len(ahead.calls) == 0 {
		t.Error("nothing was built ahead")
	}
	if diff := cmp.Diff(later.calls, ahead.calls); diff != "" {
		t.Errorf("the constructs ask for (-) and what was built ahead (+):\n%s", diff)
	}
}

// recorder is fakePackages that notes what it is asked for.
type recorder struct {
	fakePackages
	asked
}

func (r *recorder) ZIP(ctx context.Context, bootstrap string, a arm.Architecture, handlerDir string) (string, error) {
	_, _ = r.asked.ZIP(ctx, bootstrap, a, handlerDir)
	return r.fakePackages.ZIP(ctx, bootstrap, a, handlerDir)
}

func (r *recorder) ImageContext(ctx context.Context, p arm.Package, bootstrap string, a arm.Architecture, handlerDir string) (string, error) {
	_, _ = r.asked.ImageContext(ctx, p, bootstrap, a, handlerDir)
	return r.fakePackages.ImageContext(ctx, p, bootstrap, a, handlerDir)
}

// Context that the app will refuse, or that is none, starts no build; a synth that ends early stops what has started.
func TestNoHeadStart(t *testing.T) {
	project(t)
	for _, context := range []string{"", "{", "[]", `{"arms":"nosuch/zip"}`, `{"memory":"1"}`, `{"colour":"red"}`} {
		var b asked
		if headStart(t.Context(), context, &b); len(b.calls) > 0 {
			t.Errorf("context %s: built %s", context, b.calls)
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	var b asked
	if headStart(stopped, "{}", &b); len(b.calls) > 0 {
		t.Errorf("stopped, and built %s", slices.Compact(b.calls))
	}
}

// The tuning's program is built once for an app; where it is gone it is built again.
func TestStepsProgram(t *testing.T) {
	kept := t.TempDir()
	project(t)
	write(t, filepath.Join(buildDir, "something"), "")
	link := filepath.Join(buildDir, "tunestep-arm64")
	if err := os.Symlink(kept, link); err != nil {
		t.Fatal(err)
	}
	if dir, err := stepsProgram("arm64"); err != nil || dir != kept {
		t.Errorf("%s, %v; want %s", dir, err, kept)
	}
	if err := os.RemoveAll(kept); err != nil {
		t.Fatal(err)
	}
	if dir, err := stepsProgram("arm64"); err == nil || !strings.Contains(err.Error(), "power tuning: building ") { // there is no module here
		t.Errorf("%s, %v", dir, err)
	}
}
