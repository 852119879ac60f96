// Package packages builds bootstraps and deployment packages from source. It makes the same bytes on every machine
// and every time, so an asset's hash changes only if its content does, and two people who measure an arm measure
// the same file.
//
// It writes below Workspace.Dir:
//
//	built/<bootstrap>-<architecture>-<key>/     the bootstrap's files in a package
//	zip/<bootstrap>-<architecture>-<handler>-<key>.zip
//	images/<package>/<bootstrap>-<architecture>-<handler>-<key>/   Dockerfile, package/, root/
//
// A key identifies the content, or everything that the content is made from. Each file and folder gets its name when it
// is complete, so the content at a returned path never changes.
package packages

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages/archive"
)

// Workspace builds into one folder. It reads the sources once for each architecture, so after a change of the sources a
// process needs a new Workspace. It is safe for concurrent use, and several processes may use one Dir.
type Workspace struct {
	Dir       string    // output root; made if it is missing
	ModuleDir string    // where the go command runs: this module, or one that requires it; "" means the working folder
	Log       io.Writer // gets a line for each build and each left-out file; nil logs left-out files to stderr
	Prebuilt  string    // folder with a release's Go bootstraps, <bootstrap>/<architecture>/; others are built
	Licences  bool      // add the static Bash's licence and build instructions to packages, as the licence demands

	mu      sync.Mutex
	golang  map[arm.Architecture]golangListing
	outputs map[string]output
	exclude map[string][]string // patterns by handler folder, if not DefaultExclude
	told    []string            // lines about left-out files that are in the log already
}

// Bootstrap builds the files that a bootstrap puts in a package, without the handler, and returns their folder. If the
// bootstrap's toolchain is not available, the error is an *UnavailableError.
func (w *Workspace) Bootstrap(ctx context.Context, name string, a arm.Architecture) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out, err := w.bootstrap(ctx, name, a)
	return out.dir, err
}

// output is a finished bootstrap, or the static Bash.
type output struct {
	dir   string // the bootstrap's folder
	key   string // of its recipe
	files []file
	bash  file
	err   error
}

// bootstrap does what Bootstrap does, for callers that hold the lock. A recipe calls it for a bootstrap that it
// changes.
func (w *Workspace) bootstrap(ctx context.Context, name string, a arm.Architecture) (output, error) {
	out := w.once(ctx, name+"/"+string(a), func() output {
		out, brought := w.prebuilt(name, a)
		if !brought {
			out, out.err = w.makeBootstrap(ctx, name, a)
		}
		return out
	})
	return out, out.err
}

// once returns what was made for a key, or makes it. It does not keep the result of a cancelled build.
func (w *Workspace) once(ctx context.Context, key string, make func() output) output {
	if out, ok := w.outputs[key]; ok {
		return out
	}
	out := make()
	if ctx.Err() == nil {
		if w.outputs == nil {
			w.outputs = map[string]output{}
		}
		w.outputs[key] = out
	}
	return out
}

func (w *Workspace) makeBootstrap(ctx context.Context, name string, a arm.Architecture) (out output, err error) {
	b, err := find(name)
	if err != nil {
		return out, err
	}
	var write writer
	if out.key, write, err = b.recipe.prepare(ctx, w, a); err != nil {
		return out, about(name, err)
	}
	out.dir = filepath.Join(w.Dir, "built", fmt.Sprintf("%s-%s-%s", name, a, contentKey(out.key, nil)))
	err = archive.Once(out.dir, func(dir string) error {
		w.logf("building %s for %s", name, a)
		dir, err := filepath.Abs(dir) // for commands that run in ModuleDir
		if err != nil {
			return err
		}
		if err := write(dir); err != nil {
			return err
		}
		delete(w.golang, a)
		if again, _, err := b.recipe.prepare(ctx, w, a); err != nil || again != out.key {
			return cmp.Or(err, errors.New("its sources changed while it was built: call again"))
		}
		// The mode does not depend on the umask.
		return archive.Files(dir, func(name string, _ fs.FileInfo) error { return os.Chmod(name, 0o755) })
	})
	if err != nil {
		return out, about(name, err)
	}
	out.files, _, err = handlerFiles(out.dir, nil)
	return out, err
}

func (w *Workspace) logf(format string, args ...any) {
	if w.Log != nil {
		fmt.Fprintf(w.Log, "build: "+format+"\n", args...)
	}
}
