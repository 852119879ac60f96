// Package managed prepares and finds stand-ins for Lambda's managed runtimes: an interpreter or JVM with the language's
// own runtime interface client, from public registries. Functions written for the runtime run unmodified on it. What
// AWS adds is missing: its build of the language, and the SDKs in its image.
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

// Runtime is a stand-in that is prepared.
type Runtime struct {
	Name  string   // Lambda's, such as nodejs22.x
	Dir   string   // holds lang and runtime, which are mounted at /var/lang and /var/runtime
	Label string   // such as "stand-in: node 22.23.5, client 4.0.2"
	Env   []string // variables that it has beyond those of provided.al2023, or instead
}

// Bootstrap is the program that Lambda starts, as in every managed runtime.
const Bootstrap = "/var/runtime/bootstrap"

// Names lists the runtimes that have a stand-in.
func Names() []string {
	return []string{"nodejs20.x", "nodejs22.x", "nodejs24.x", "python3.11", "python3.12", "python3.13", "python3.14", "java17", "java21", "java25"}
}

// scripts prepare runtimes: one for each language, after common.sh.
//
//go:embed *.sh
var scripts embed.FS

// unused is after how long without use a stand-in is removed.
const unused = 30 * 24 * time.Hour

// language is a runtime's name without the version.
func language(name string) string { return strings.TrimRight(name, "0123456789.x") }

// place returns the folder of a stand-in and the script that fills it. The folder's name changes with the script.
func place(name string) (dir, script string, err error) {
	if !slices.Contains(Names(), name) {
		return "", "", fmt.Errorf("%s has no stand-in here, for npm, PyPI and Maven have none: --source aws measures it (stand-ins: %s)", name, strings.Join(Names(), ", "))
	}
	for _, file := range []string{"common.sh", language(name) + ".sh"} {
		text, _ := scripts.ReadFile(file) // embedded
		script += string(text)
	}
	if dir, err = archive.Cache("runtimes", fmt.Sprintf("%s-%s-%s", name, runtime.GOARCH, coldfs.Digest(script)[:12])); err != nil {
		return "", "", err
	}
	return dir, script, nil
}

// Find returns a stand-in that was prepared before. Otherwise the error says what to do.
func Find(name string) (*Runtime, error) {
	dir, _, err := place(name)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not prepared here: twinstart doctor --prepare %s does it", name, name)
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
	return &Runtime{Name: name, Dir: dir, Label: "stand-in: " + strings.TrimSpace(string(label)), Env: strings.Fields(string(env))}, nil
}

// Warm reads all files of the stand-in, so that they are in memory as the base's are.
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

// Prepare makes a stand-in, which downloads from the registries, unless it is there. Log gets what the tools say. The
// folder gets its name when it is complete; a preparation that is killed leaves only what the next one removes. Train
// is called before that, for what only a run of the runtime can make.
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
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "new-*")) // by killed preparations, for this one holds the lock
	for _, old := range left {
		os.RemoveAll(old)
	}
	err = archive.Once(dir, func(work string) error {
		fmt.Fprintf(log, "preparing %s: downloads, and for Node.js a minute of a compiler\n", name)
		cmd := exec.CommandContext(ctx, "bash", "-c", script, name, strings.TrimPrefix(name, language(name)), string(arm.Host()))
		cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = work, log, log, 5*time.Second
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%w: what it said is above", err)
		}
		r, err := open(name, work)
		if err != nil {
			return err
		}
		return train(r)
	})
	if err != nil {
		return nil, fmt.Errorf("preparing %s: %w", name, err)
	}
	if err := archive.Used(dir, unused); err != nil {
		return nil, fmt.Errorf("preparing %s: %w", name, err)
	}
	return Find(name)
}
