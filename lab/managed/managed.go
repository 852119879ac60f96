// Package managed prepares and finds stand-ins for Lambda's managed runtimes. A stand-in is an interpreter or JVM with
// AWS's runtime interface client for the language. Both are from public registries, except that the interpreter of
// Python is this machine's. Functions for the managed runtime run on a stand-in without changes. It does not have AWS's
// build of the language, or the SDKs in AWS's image. Stand-ins are in the user's cache. The folder of a stand-in gets
// its name when it is complete.
package managed

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/packages/archive"
)

// Runtime is a prepared stand-in.
type Runtime struct {
	Name  string   // Lambda's name of it, for example nodejs22.x
	Dir   string   // has the folders lang and runtime, which are mounted at /var/lang and /var/runtime
	Label string   // for example "stand-in: node 22.23.5, client 4.0.2"
	Env   []string // variables that provided.al2023 does not have, or has with another value
}

// Bootstrap is the program that Lambda starts, as in every managed runtime.
const Bootstrap = "/var/runtime/bootstrap"

// Names lists the runtimes that have a stand-in.
func Names() []string {
	const names = "nodejs20.x nodejs22.x nodejs24.x python3.11 python3.12 python3.13 python3.14 java17 java21 java25"
	return strings.Fields(names)
}

// scripts prepare runtimes. common.sh is run before the script of each language.
//
//go:embed *.sh
var scripts embed.FS

// unused is how long a stand-in is kept after its last use.
const unused = 30 * 24 * time.Hour

// language returns a runtime's name without the version.
func language(name string) string { return strings.TrimRight(name, "0123456789.x") }

// place returns the folder of a stand-in and the script that fills it. A changed script gives the folder another name.
func place(name string) (dir, script string, err error) {
	if !slices.Contains(Names(), name) {
		return "", "", fmt.Errorf("%s has no stand-in here, because npm, PyPI and Maven do not have it: "+
			"measure it with --source aws (stand-ins: %s)", name, strings.Join(Names(), ", "))
	}
	for _, file := range []string{"common.sh", language(name) + ".sh"} {
		text, _ := scripts.ReadFile(file) // embedded
		script += string(text)
	}
	dir, err = archive.Cache("runtimes", name+"-"+runtime.GOARCH+"-"+coldfs.Digest(script)[:12])
	return dir, script, err
}

// Find returns a stand-in that was prepared before. Otherwise the error says what to do.
func Find(name string) (*Runtime, error) {
	dir, _, err := place(name)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not prepared here: run twinstart doctor --prepare %[1]s", name)
	}
	now := time.Now()
	_ = os.Chtimes(dir, now, now) // in use
	return open(name, dir)
}

func open(name, dir string) (*Runtime, error) {
	label, err := os.ReadFile(filepath.Join(dir, "label"))
	env, envErr := os.ReadFile(filepath.Join(dir, "env"))
	if err := errors.Join(err, envErr); err != nil {
		return nil, fmt.Errorf("reading the stand-in for %s: %w", name, err)
	}
	text := "stand-in: " + strings.TrimSpace(string(label))
	return &Runtime{Name: name, Dir: dir, Label: text, Env: strings.Fields(string(env))}, nil
}

// Warm reads all files of the stand-in, so that they are in memory, like the base's files.
func (r *Runtime) Warm() error {
	return archive.Files(r.Dir, func(path string, _ fs.FileInfo) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, f)
		return errors.Join(err, f.Close())
	})
}

// Prepare downloads and makes a stand-in, if there is none yet. The tools that it runs write to log. At the end, train
// makes the files that only a run of the runtime can make. If a preparation is killed, the next one removes what it has
// left.
func Prepare(ctx context.Context, name string, log io.Writer, train func(*Runtime) error) (*Runtime, error) {
	dir, script, err := place(name)
	if err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(filepath.Dir(dir), "lock"))
	if err = os.MkdirAll(filepath.Dir(dir), 0o755); err == nil {
		_, err = lock.TryLockContext(ctx, 100*time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("preparing %s: waiting for another preparation: %w", name, err)
	}
	defer lock.Close()
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "new-*"))
	for _, old := range left { // from preparations that were killed: this one holds the lock, so no other one runs
		os.RemoveAll(old)
	}
	err = archive.Once(dir, func(work string) error {
		fmt.Fprintf(log, "preparing %s: downloading, and for Node.js compiling for a minute\n", name)
		version := strings.TrimPrefix(name, language(name))
		cmd := exec.CommandContext(ctx, "bash", "-c", script, name, version, string(arm.Host()))
		cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = work, log, log, 5*time.Second
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%w: its output is above", err)
		}
		r, err := open(name, work)
		if err != nil {
			return err
		}
		return train(r)
	})
	if err == nil {
		err = archive.Used(dir, unused)
	}
	if err != nil {
		return nil, fmt.Errorf("preparing %s: %w", name, err)
	}
	return Find(name)
}
