package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/managed"
	"github.com/twinstart/twinstart/packages/archive"
)

// PrepareRuntime makes the stand-in for a managed runtime, if there is none yet. The tools that it runs write to log.
func PrepareRuntime(ctx context.Context, name string, log io.Writer) (*managed.Runtime, error) {
	return managed.Prepare(ctx, name, log, func(r *managed.Runtime) error { return train(r, log) })
}

// train makes the files that only a run of the runtime can make, for example the archive of Java's classes. It needs
// an execution environment, because the archive holds the paths of the runtime's files. Each line of the stand-in's
// file "train" has the path of such a file below the stand-in, and a variable that makes the runtime write a file of
// that name to /tmp. The handler ends the runtime.
func train(r *managed.Runtime, log io.Writer) error {
	steps, err := os.ReadFile(filepath.Join(r.Dir, "train"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	empty, err := Temporary()
	if err != nil {
		return err
	}
	defer os.RemoveAll(empty)
	for line := range strings.Lines(string(steps)) {
		path, variable, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, value, _ := strings.Cut(variable, "=")
		f := assembly.Function{LogicalID: "train", PackageType: assembly.Zip, Runtime: r.Name, Package: empty,
			Handler: "java.lang.System::exit", TimeoutSeconds: 300, MemorySizeMB: 2048, EphemeralStorageMB: arm.MinTmpMB,
			Architecture: arm.Host(), LogFormat: assembly.Text, Environment: map[string]string{name: value}}
		if err := trainStep(r, f, filepath.Join(r.Dir, path), log); err != nil {
			return fmt.Errorf("making %s: %w", filepath.Base(path), err)
		}
	}
	return nil
}

func trainStep(r *managed.Runtime, of assembly.Function, to string, log io.Writer) error {
	var said bytes.Buffer
	l, err := newLab(Options{Log: &said})
	if err != nil {
		return err
	}
	l.initLimit, l.options.Functions = 5*time.Minute, []assembly.Function{of}
	if err := l.start(); err != nil {
		return err
	}
	defer l.Close()
	f := l.functions[of.LogicalID]
	f.code.runtime = r
	e, err := f.acquire()
	if err != nil {
		return err
	}
	defer f.release(e)
	if _, why := e.start(l.initLimit); why == nil { // if INIT fails, the runtime may have written the file already
		e.invoke(api.Invocation{RequestID: api.NewID(), Payload: []byte("0")})
	}
	if err := archive.CopyFile(filepath.Join(e.life.Root(), "tmp", filepath.Base(to)), to); err != nil {
		_, _ = said.WriteTo(log)
		return err
	}
	return nil
}
