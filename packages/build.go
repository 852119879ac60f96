// Package packages builds bootstraps and deployment packages from source. It makes the same bytes on every machine
// and every time, so an asset's hash changes only if its content does, and two people who measure an arm measure
// the same file.
//
// It writes below Workspace.Dir:
//
//	bootstraps/<bootstrap>/<architecture>/     what a bootstrap puts in a package, handler apart
//	zip/<bootstrap>-<architecture>-<handler>-<key>.zip
//	images/<package>/<bootstrap>-<architecture>-<handler>-<key>/   Dockerfile, package/, root/
//	stamps/                                    what the bootstraps above were made from
//
// ZIP files and image contexts are named by their content, so the content at a returned path never changes.
package packages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
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
	outputs map[string]output // key: bootstrap/architecture
	bash    map[arm.Architecture]builtBash
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

// Bootstrap builds the files that a bootstrap puts in a package, without the handler, and returns their folder:
// <Dir>/bootstraps/<name>/<a>. If the bootstrap's toolchain is not available, the error is an *UnavailableError.
func (w *Workspace) Bootstrap(ctx context.Context, name string, a arm.Architecture) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out, err := w.bootstrap(ctx, name, a)
	return out.dir, err
}

// output is a finished bootstrap: its folder, its key and its files.
type output struct {
	dir   string
	key   string
	files []file
	err   error
}

// bootstrap does what Bootstrap does, for callers that hold the lock. A recipe uses it to get the bootstrap that it
// derives from.
func (w *Workspace) bootstrap(ctx context.Context, name string, a arm.Architecture) (output, error) {
	out := once(ctx, &w.outputs, name+"/"+string(a), func() output {
		out, brought := w.prebuilt(name, a)
		if !brought {
			var err error
			out, err = w.makeBootstrap(ctx, name, a)
			out.err = err
		}
		return out
	})
	return out, out.err
}

// once returns what was made for a key, or makes it. It does not keep the result of a cancelled build.
func once[K comparable, V any](ctx context.Context, kept *map[K]V, key K, make func() V) V {
	if v, ok := (*kept)[key]; ok {
		return v
	}
	v := make()
	if ctx.Err() == nil {
		if *kept == nil {
			*kept = map[K]V{}
		}
		(*kept)[key] = v
	}
	return v
}

func (w *Workspace) makeBootstrap(ctx context.Context, name string, a arm.Architecture) (output, error) {
	b, err := find(name)
	if err != nil {
		return output{}, err
	}
	out := output{dir: filepath.Join(w.Dir, "bootstraps", name, string(a))}
	for range attempts {
		var build func(string) error
		if out.key, build, err = b.recipe.prepare(ctx, w, a); err != nil {
			return output{}, about(name, err)
		}
		if out.files = w.upToDate(out.dir, out.key); out.files != nil {
			return out, nil
		}
		w.logf("building %s for %s", name, a)
		if err := w.remake(ctx, b, a, out, build); err != nil {
			return output{}, about(name, err)
		}
	}
	return output{}, about(name, errors.New("its sources or its files change while it is built: call again when they no longer change"))
}

// attempts is how often a bootstrap is built again because its sources changed meanwhile.
const attempts = 5

// remake builds into a temporary folder and installs the result if the sources have not changed meanwhile. If they
// have, the result does not belong to the old key, and maybe not to the new one. Then the caller tries again.
func (w *Workspace) remake(ctx context.Context, b Bootstrap, a arm.Architecture, out output, build func(dir string) error) error {
	tmp, err := w.tempDir()
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := build(tmp); err != nil {
		return err
	}
	delete(w.golang, a)
	if again, _, err := b.recipe.prepare(ctx, w, a); err != nil || again != out.key {
		return err
	}
	return w.install(tmp, out.dir, out.key)
}

// tempDir makes a folder on the file system of the outputs, so that finished files can be renamed into place.
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
