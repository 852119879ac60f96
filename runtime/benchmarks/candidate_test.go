//go:build linux

package benchmarks

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/archive"
)

// candidate is a row of the table.
type candidate struct {
	name   string
	argv   []string
	dir    string // where it starts, its LAMBDA_TASK_ROOT
	env    []string
	echoes bool     // it answers with its event, which is checked
	files  []string // files and folders of its package
	probed string   // the package whose cold pages are counted; "" if another row has the same package
}

// ours builds the packages of all bootstraps with the handler echo and unpacks them. left says what cannot be built,
// and why.
func ours(tb *testing.B, a arm.Architecture) (all []*candidate, left []string, err error) {
	w, dir := packages.Workspace{Dir: "../../build", Log: os.Stderr}, tb.TempDir()
	for _, b := range packages.Bootstraps() {
		if !wanted(b.Name) && (b.Name != "rawsyscall" || !wanted(rawsyscallProcess)) {
			continue
		}
		file, err := w.ZIP(tb.Context(), b.Name, a, "../../handlers/echo")
		if _, ok := errors.AsType[*packages.UnavailableError](err); ok {
			left = append(left, fmt.Sprintf("%s: %v", b.Name, err))
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		c := &candidate{name: b.Name, dir: filepath.Join(dir, b.Name), echoes: true, probed: file}
		c.files = []string{c.dir}
		if err := os.Mkdir(c.dir, 0o755); err != nil {
			return nil, nil, err
		}
		if err := archive.Unzip(file, c.dir); err != nil {
			return nil, nil, fmt.Errorf("unpacking the package of %s: %w", b.Name, err)
		}
		if c.argv, err = command(c.dir); err != nil {
			return nil, nil, err
		}
		all = append(all, c)
		if b.Name == "rawsyscall" {
			process := *c
			process.name, process.env, process.probed = rawsyscallProcess, []string{"TWINSTART_ISOLATION=process"}, ""
			all = append(all, &process)
		}
	}
	return all, left, nil
}

// rawsyscallProcess is rawsyscall with a process for each event, so that INIT starts no worker, as with
// aws-lambda-go.
const rawsyscallProcess = "rawsyscall/process"

// command returns how to start a package that is not at /var/task. If the package contains its own interpreter, the
// interpreter's path is given explicitly.
func command(dir string) ([]string, error) {
	bootstrap := filepath.Join(dir, "bootstrap")
	text, err := os.ReadFile(bootstrap)
	if err != nil {
		return nil, err
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	if interpreter, ok := strings.CutPrefix(string(line), "#!/var/task/"); ok {
		return []string{filepath.Join(dir, strings.TrimSpace(interpreter)), bootstrap}, nil
	}
	return []string{bootstrap}, nil
}

// others reads rows from a candidates.json: [{"name", "argv": [absolute path, ...], "dir", "paths": [files of the
// package], "env": []}]. They may answer an event with anything.
func others(file string) (all []*candidate, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading YARDSTICK: %w", err)
	}
	var rows []struct {
		Name       string
		Argv, Env  []string
		Dir        string
		Paths      []string
		Skip, Echo bool
	}
	if err := json.Unmarshal(text, &rows); err != nil {
		return nil, fmt.Errorf("reading YARDSTICK: %s: %w", file, err)
	}
	for i, row := range rows {
		if row.Name == "" || len(row.Argv) == 0 || !filepath.IsAbs(row.Argv[0]) {
			return nil, fmt.Errorf("reading YARDSTICK: %s: entry %d wants a name and an argv that starts with an absolute path", file, i+1)
		}
		if row.Skip {
			continue
		}
		if _, err := os.Stat(row.Argv[0]); err != nil {
			return nil, fmt.Errorf("reading YARDSTICK: %s: %s: %w", file, row.Name, err)
		}
		c := &candidate{name: row.Name, argv: row.Argv, dir: row.Dir, env: row.Env, files: row.Paths}
		if c.dir == "" {
			c.dir = filepath.Dir(row.Argv[0])
		}
		if len(c.files) == 0 {
			c.files = row.Argv[:1]
		}
		if len(row.Argv) == 1 && len(c.files) == 1 && c.files[0] == row.Argv[0] {
			c.probed = row.Argv[0] // the program is the whole package
		}
		all = append(all, c)
	}
	return all, nil
}

// size returns the bytes of a package's files, on disk and, as Lambda counts them, in a ZIP.
func (c *candidate) size() (plain, packed float64, err error) {
	for _, root := range c.files {
		err := archive.Files(root, func(path string, _ fs.FileInfo) error {
			text, err := os.ReadFile(path)
			var out bytes.Buffer
			deflate, _ := flate.NewWriter(&out, flate.BestCompression)
			_, writing := deflate.Write(text)
			err = errors.Join(err, writing, deflate.Close())
			plain, packed = plain+float64(len(text)), packed+float64(out.Len())
			return err
		})
		if err != nil {
			return 0, 0, fmt.Errorf("measuring the package of %s: %w", c.name, err)
		}
	}
	return plain, packed, nil
}
