package packages

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages/archive"
	"github.com/twinstart/twinstart/packages/staticbash"
)

// ZIP makes the deployment package of a function on provided.al2023 and returns its path. The error is an
// *UnavailableError if the bootstrap cannot be built here.
func (w *Workspace) ZIP(ctx context.Context, bootstrap string, a arm.Architecture, handlerDir string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	files, err := w.packageFiles(ctx, bootstrap, a, handlerDir)
	if err != nil {
		return "", err
	}
	return w.zip(outputName(bootstrap, a, handlerDir, contentKey("zip 1", files)), files)
}

// zip makes a ZIP file, unless a file of that name exists: the name stands for the content.
func (w *Workspace) zip(name string, files []file) (string, error) {
	path := filepath.Join(w.Dir, "zip", name+".zip")
	if _, err := os.Stat(path); err == nil {
		return path, nil // its name is its content, and it is renamed into place when complete
	}
	w.logf("packing %s", filepath.Base(path))
	return path, keepZIP(path, files)
}

// ZIPOf makes a deployment package that contains only a bootstrap, which may be any program.
func ZIPOf(path, bootstrap string) error {
	f, err := describe(bootstrap, "bootstrap")
	if err != nil {
		return err
	}
	return keepZIP(path, []file{f})
}

// keepZIP makes a ZIP file and the folder for it.
func keepZIP(path string, files []file) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("making an output folder: %w", err)
	}
	return archive.Replace(path, 0o644, func(out io.Writer) error { return writeZIP(out, files) })
}

// writeZIP writes the files in the given order. Everyone may execute each of them: Lambda runs a function as
// another user, git stores no more of a mode than that bit, and a package must not depend on its builder's umask.
func writeZIP(out io.Writer, files []file) error {
	packed := zip.NewWriter(out)
	packed.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.BestCompression)
	})
	for _, f := range files {
		header := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: archive.Epoch}
		header.SetMode(0o755)
		entry, err := packed.CreateHeader(header)
		if err != nil {
			return fmt.Errorf("adding %s: %w", f.Name, err)
		}
		if err := copyTo(entry, f); err != nil {
			return fmt.Errorf("adding %s: %w", f.Name, err)
		}
	}
	return packed.Close()
}

// Layer makes the ZIP of a layer that contains a bootstrap, and returns its path. Lambda unpacks it at /opt. If a
// function on provided.al2023 has no bootstrap, Lambda starts the layer's, so the function's package is just a
// folder with a handler. See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html.
func (w *Workspace) Layer(ctx context.Context, bootstrap string, a arm.Architecture) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out, err := w.bootstrap(ctx, bootstrap, a)
	if err != nil {
		return "", err
	}
	files := slices.Clone(out.files)
	for i, f := range files {
		if f.Name != "bootstrap" || !ownBash(bootstrap) {
			continue
		}
		text, err := os.ReadFile(f.source)
		if err != nil {
			return "", fmt.Errorf("reading a bootstrap: %w", err)
		}
		files[i] = inMemory(f.Name, bytes.Replace(text, []byte(interpreter), []byte(interpreterInLayer), 1))
	}
	if w.Licences {
		files = append(files, licences(bootstrap)...)
	}
	return w.zip(fmt.Sprintf("%s-%s-layer-%s", bootstrap, a, contentKey("zip 1", files)), files)
}

// ownBash reports whether a bootstrap contains the static Bash.
func ownBash(bootstrap string) bool {
	b, err := find(bootstrap)
	_, own := b.recipe.(staticScript)
	return err == nil && own
}

// licences returns the files that must accompany a bootstrap that is passed on.
func licences(bootstrap string) (files []file) {
	if !ownBash(bootstrap) {
		return nil
	}
	_ = fs.WalkDir(staticbash.Licence, ".", func(name string, entry fs.DirEntry, err error) error { // it is embedded, so there is no error
		if err == nil && !entry.IsDir() {
			text, _ := staticbash.Licence.ReadFile(name)
			files = append(files, inMemory(path.Join("bash-licence", name), text))
		}
		return err
	})
	return files
}

// prebuilt returns the files of a Go bootstrap that came with the command.
func (w *Workspace) prebuilt(name string, a arm.Architecture) (output, bool) {
	b, _ := find(name)
	if _, compiled := b.recipe.(goMain); !compiled || w.Prebuilt == "" {
		return output{}, false
	}
	dir := filepath.Join(w.Prebuilt, name, string(a))
	f, err := describe(filepath.Join(dir, "bootstrap"), "bootstrap")
	return output{dir: dir, key: "prebuilt " + f.Sum, files: []file{f}}, err == nil
}

// padded is the recipe of one bootstrap's code in a file with another bootstrap's size. It separates the cost of a
// file's size from the cost of its code. The padding follows the ELF image, and no header refers to it: the program
// is unchanged and never reads it.
type padded struct {
	code string // the bootstrap that runs
	size string // the bootstrap with the wanted size
}

func (p padded) prepare(ctx context.Context, w *Workspace, a arm.Architecture) (string, func(string) error, error) {
	code, err := w.bootstrap(ctx, p.code, a)
	if err != nil {
		return "", nil, err
	}
	size, err := w.bootstrap(ctx, p.size, a)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("padded 1 %s %d", code.key, size.size()), func(dir string) error {
		program, err := os.ReadFile(filepath.Join(code.dir, "bootstrap"))
		if err != nil {
			return fmt.Errorf("reading %s: %w", p.code, err)
		}
		missing := size.size() - int64(len(program))
		if missing < 0 {
			return fmt.Errorf("%s is larger than %s: there is nothing to pad", p.code, p.size)
		}
		return os.WriteFile(filepath.Join(dir, "bootstrap"), append(program, Noise(missing)...), 0o755)
	}, nil
}

// Noise returns n bytes that do not compress, so the package grows both on the wire and on disk. The bytes are
// always the same: AES-CTR with a key of zeros, which unlike a random generator cannot change with a library
// version.
func Noise(n int64) []byte {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		panic(err) // 16 bytes are a valid key size
	}
	b := make([]byte, n)
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(b, b) //nolint:gosec // nothing is kept secret
	return b
}

// size returns the size of the executable in bytes.
func (o output) size() int64 {
	for _, f := range o.files {
		if f.Name == "bootstrap" {
			return f.Size
		}
	}
	return 0
}
