// Package packages makes bootstraps and deployment packages from source: the same bytes on every machine and every time, so that
// an asset's hash changes only when its content does, and two people who measure an arm measure the same file.
//
// What it writes below Workspace.Dir:
//
//	bootstraps/<bootstrap>/<architecture>/     what a bootstrap puts in a package, handler apart
//	zip/<bootstrap>-<architecture>-<handler>-<key>.zip
//	images/<package>/<bootstrap>-<architecture>-<handler>-<key>/   Dockerfile, package/, root/
//	stamps/                                    what the bootstraps above were made from
//
// ZIP files and image contexts are named by their content, so a path once returned never changes under its reader.
package packages

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"sync"

	"github.com/twinstart/twinstart/arm"
)

// Workspace builds into one folder. It looks at the sources once, at the first call for an architecture: a process that outlives
// an edit takes a new Workspace for a new look. It is safe for concurrent use, and so are several processes on one Dir.
type Workspace struct {
	Dir       string    // output root; made when absent
	ModuleDir string    // where the go command runs: a module that is, or requires, this one; "" = the working folder
	Log       io.Writer // one line per thing that is built, and what packages leave out; nil = nowhere, and the latter on standard error
	Prebuilt  string    // <bootstrap>/<architecture>/ of Go bootstraps that a release brings; what it lacks is built
	Licences  bool      // packages carry the licence of the static Bash, and how to build it: who passes one on has to

	mu      sync.Mutex
	golang  map[arm.Architecture]*golangListing
	outputs map[string]output // by bootstrap/architecture
	bash    map[arm.Architecture]builtBash
	exclude map[string][]string // by handler folder, if not DefaultExclude
	told    map[string]bool     // lines that said what is left out of a handler folder
}

// DefaultExclude is what packages leave out of a handler's folder, at any depth: secrets, history and what tools leave lying about. Patterns
// are path.Match's, of a name or of a path.
func DefaultExclude() []string {
	return []string{".env", ".env.*", ".git", "node_modules", ".DS_Store"}
}

// Exclude says what packages of a handler's folder leave out in place of DefaultExclude from now on; an empty list leaves out nothing, nil is
// the default again.
func (w *Workspace) Exclude(handlerDir string, patterns []string) error {
	for _, pattern := range patterns {
		if _, err := path.Match(pattern, "x"); err != nil {
			return fmt.Errorf("excluding %q: %w", pattern, err)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.exclude == nil {
		w.exclude = map[string][]string{}
	}
	if w.exclude[handlerDir] = patterns; patterns == nil {
		delete(w.exclude, handlerDir)
	}
	return nil
}

// Bootstrap makes what a bootstrap puts in a package, handler apart, and names the folder: <Dir>/bootstraps/<name>/<a>.
// The error is an *UnavailableError where the toolchain that the bootstrap needs is not to be had.
func (w *Workspace) Bootstrap(ctx context.Context, name string, a arm.Architecture) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out, err := w.bootstrap(ctx, name, a)
	return out.dir, err
}

// output is a finished bootstrap: its folder, what it was made from and the files in it.
type output struct {
	dir   string
	key   string
	files []file
	err   error
}

// bootstrap is Bootstrap for callers that hold the lock; a derived bootstrap asks for the one it is made of through it.
func (w *Workspace) bootstrap(ctx context.Context, name string, a arm.Architecture) (output, error) {
	if done, ok := w.outputs[name+"/"+string(a)]; ok {
		return done, done.err
	}
	out, brought := w.prebuilt(name, a)
	var err error
	if !brought {
		out, err = w.makeBootstrap(ctx, name, a)
	}
	if ctx.Err() == nil { // a cancelled build says nothing about the next
		if w.outputs == nil {
			w.outputs = map[string]output{}
		}
		out.err = err
		w.outputs[name+"/"+string(a)] = out
	}
	return out, err
}

func (w *Workspace) makeBootstrap(ctx context.Context, name string, a arm.Architecture) (output, error) {
	b, err := find(name)
	if err != nil {
		return output{}, err
	}
	out := output{dir: filepath.Join(w.Dir, "bootstraps", name, string(a))}
	for range attempts {
		if out.key, err = b.recipe.key(ctx, w, a); err != nil {
			return output{}, about(name, err)
		}
		if out.files = w.upToDate(out.dir, out.key); out.files != nil {
			return out, nil
		}
		w.logf("building %s for %s", name, a)
		if err := w.remake(ctx, b, a, out); err != nil {
			return output{}, about(name, err)
		}
	}
	return output{}, about(name, errors.New("its sources or its files change while it is built: call again when they rest"))
}

// attempts bounds how often a bootstrap is built again because something changed meanwhile.
const attempts = 5

// remake builds into a temporary folder and installs that, unless the sources changed meanwhile: then what was built belongs neither
// to the old key nor, for certain, to the new one, and the caller looks again.
func (w *Workspace) remake(ctx context.Context, b Bootstrap, a arm.Architecture, out output) error {
	tmp, err := w.tempDir()
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := b.recipe.build(ctx, w, a, tmp); err != nil {
		return err
	}
	delete(w.golang, a)
	if again, err := b.recipe.key(ctx, w, a); err != nil || again != out.key {
		return err
	}
	return w.install(tmp, out.dir, out.key)
}

// tempDir is on the same file system as the outputs, so that what is finished in it can be renamed into place.
func (w *Workspace) tempDir() (string, error) {
	if err := os.MkdirAll(w.Dir, 0o755); err != nil {
		return "", fmt.Errorf("making the output folder: %w", err)
	}
	tmp, err := os.MkdirTemp(w.Dir, ".tmp-")
	if err != nil {
		return "", fmt.Errorf("making a temporary folder: %w", err)
	}
	return filepath.Abs(tmp) // for commands that run in ModuleDir
}

func (w *Workspace) logf(format string, args ...any) {
	if w.Log != nil {
		fmt.Fprintf(w.Log, "build: "+format+"\n", args...)
	}
}
