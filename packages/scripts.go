package packages

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages/staticbash"
	"github.com/twinstart/twinstart/runtime/bashcurl"
	"github.com/twinstart/twinstart/runtime/bashtcp"
)

// The scripts are embedded in their packages, so they do not depend on the working folder.
var (
	curlScript = script{"bootstrap": string(bashcurl.Bootstrap)}
	tcpScript  = script(bashtcp.Files())
)

// script is the recipe of a bootstrap in Bash that the base's /bin/bash runs. It maps file names to texts; one name is
// "bootstrap".
type script map[string]string

func (s script) prepare(context.Context, *Workspace, arm.Architecture) (string, writer, error) {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(s)) {
		text := bare(s[name])
		fmt.Fprintf(h, "%q %d\n%s", name, len(text), text)
	}
	return fmt.Sprintf("%x", h.Sum(nil)), s.write, nil
}

func (s script) write(dir string) error {
	for name, text := range s {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(bare(text)), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// bare returns a script without comment lines and indentation, which are a quarter of the bytes that a cold start would
// read. No string in a script may have a line that starts with a blank or with #.
func bare(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimLeft(line, " \t")
		if line != "\n" && (!strings.HasPrefix(line, "#") || kept.Len() == 0 && strings.HasPrefix(line, "#!")) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// staticBash returns the static Bash. Callers must hold the lock. A Workspace also keeps an error, because it takes
// seconds to find out that there is no toolchain.
func (w *Workspace) staticBash(ctx context.Context, a arm.Architecture) (file, error) {
	out := w.once(ctx, "bash for "+string(a), func() (out output) {
		path, err := (&staticbash.Builder{Log: w.Log}).Build(ctx, a)
		if out.err = err; err == nil {
			out.bash, out.err = describe(path, "bash")
		}
		return out
	})
	return out.bash, out.err
}

// ownBash is the recipe of a script together with a static Bash that runs it.
type ownBash struct{ script script }

// A script's first line has an absolute path, because the kernel looks for any other path in the process's working
// folder. The path in a layer differs.
const (
	interpreter        = "#!/var/task/bash\n"
	interpreterInLayer = "#!/opt/bash\n"
)

func (s ownBash) prepare(ctx context.Context, w *Workspace, a arm.Architecture) (string, writer, error) {
	bash, err := w.staticBash(ctx, a)
	if err != nil {
		return "", nil, err
	}
	key, _, err := s.script.prepare(ctx, w, a)
	return fmt.Sprintf("%x", sha256.Sum256([]byte(interpreter+key+bash.Sum))), func(dir string) error {
		first, rest, ok := strings.Cut(s.script["bootstrap"], "\n")
		if !ok || !strings.HasPrefix(first, "#!") {
			return errors.New("the script's first line is not #!: give it one")
		}
		files := maps.Clone(s.script)
		files["bootstrap"] = interpreter + rest
		return errors.Join(files.write(dir), copyFile(filepath.Join(dir, "bash"), bash))
	}, err
}

// hasOwnBash reports whether a bootstrap contains the static Bash.
func hasOwnBash(bootstrap string) bool {
	b, err := find(bootstrap)
	_, own := b.recipe.(ownBash)
	return err == nil && own
}
