// Package packages builds bootstraps and deployment packages from source. It makes the same bytes on every machine
// and every time, so an asset's hash changes only if its content does, and two people who measure an arm measure
// the same file.
//
// It writes below Workspace.Dir:
//
//	built/<bootstrap>-<architecture>-<key>/     what a bootstrap puts in a package, handler apart
//	zip/<bootstrap>-<architecture>-<handler>-<key>.zip
//	images/<package>/<bootstrap>-<architecture>-<handler>-<key>/   Dockerfile, package/, root/
//
// All are named by their content, or by what they are made from, and get the name when they are complete. So the
// content at a returned path never changes.
package packages

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages/archive"
)

// Workspace builds into one folder. It reads the sources once, at the first call for an architecture. After a
// change of the sources a process needs a new Workspace. It is safe for concurrent use, and several processes may
// use one Dir.
type Workspace struct {
	Dir       string    // output root; made if it is missing
	ModuleDir string    // where the go command runs: this module, or one that requires it; "" means the working folder
	Log       io.Writer // a line for each thing that is built or left out; nil logs only what is left out, to stderr
	Prebuilt  string    // folder <bootstrap>/<architecture>/ with Go bootstraps of a release; others are built
	Licences  bool      // packages contain the licence of the static Bash and how to build it, as its licence demands

	mu      sync.Mutex
	golang  map[arm.Architecture]golangListing
	outputs map[string]output
	exclude map[string][]string // patterns by handler folder, if not DefaultExclude
	told    []string            // lines about left-out files that were already written
}

// DefaultExclude lists what packages leave out of a handler's folder, at any depth: secrets, history and files that
// tools leave behind. They are patterns of path.Match for a name or a path.
func DefaultExclude() []string {
	return []string{".env", ".env.*", ".git", "node_modules", ".DS_Store"}
}

// Exclude replaces DefaultExclude for packages of a handler's folder from now on. An empty list leaves nothing out;
// nil restores the default.
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

// Bootstrap builds the files that a bootstrap puts in a package, without the handler, and returns their folder. If the
// bootstrap's toolchain is not available, the error is an *UnavailableError.
func (w *Workspace) Bootstrap(ctx context.Context, name string, a arm.Architecture) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out, err := w.bootstrap(ctx, name, a)
	return out.dir, err
}

// output is a finished bootstrap (its folder, its key and its files) or a static Bash.
type output struct {
	dir   string
	key   string
	files []file
	err   error
}

// bootstrap does what Bootstrap does, for callers that hold the lock. A recipe uses it to get the bootstrap that it
// derives from.
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
	var build func(dir string) error
	if out.key, build, err = b.recipe.prepare(ctx, w, a); err != nil {
		return out, about(name, err)
	}
	out.dir = filepath.Join(w.Dir, "built", fmt.Sprintf("%s-%s-%s", name, a, contentKey(out.key, nil)))
	err = archive.Once(out.dir, func(dir string) error {
		w.logf("building %s for %s", name, a)
		dir, err := filepath.Abs(dir) // for commands that run in ModuleDir
		if err != nil {
			return err
		}
		if err := build(dir); err != nil {
			return err
		}
		delete(w.golang, a)
		if again, _, err := b.recipe.prepare(ctx, w, a); err != nil || again != out.key {
			return cmp.Or(err, errors.New("its sources changed while it was built: call again"))
		}
		return archive.Files(dir, func(name string, _ fs.FileInfo) error { return os.Chmod(name, 0o755) }) // whatever the umask
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

// copyFile makes an executable copy and the folder for it. The mode does not depend on the umask.
func copyFile(to string, f file) error {
	err := os.MkdirAll(filepath.Dir(to), 0o755)
	if err == nil {
		err = archive.Replace(to, 0o755, func(out io.Writer) error { return copyTo(out, f) })
	}
	if err != nil {
		return fmt.Errorf("copying into a package: %w", err)
	}
	return nil
}

// copyTo copies a file and checks that it has not changed since it was listed, because a package's name promises
// its content.
func copyTo(out io.Writer, f file) error {
	if f.source == "" {
		_, err := out.Write(f.text)
		return err
	}
	in, err := os.Open(f.source)
	if err != nil {
		return err
	}
	defer in.Close()
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(out, h), in); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != f.Sum {
		return fmt.Errorf("%s changed while it was packed: call again", f.source)
	}
	return nil
}
