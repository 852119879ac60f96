package packages

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
)

// padded is the recipe of a file with one bootstrap's code and another bootstrap's size. It separates the cost of a
// file's size from the cost of its code. The padding follows the ELF image, and no header refers to it, so the program
// is unchanged and never reads it.
type padded struct {
	code string // the bootstrap that runs
	size string // the bootstrap with the wanted size
}

func (p padded) prepare(ctx context.Context, w *Workspace, a arm.Architecture) (string, writer, error) {
	code, err := w.bootstrap(ctx, p.code, a)
	if err != nil {
		return "", nil, err
	}
	size, err := w.bootstrap(ctx, p.size, a)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("padded 2 %s %d", code.key, size.files[0].Size), func(dir string) error {
		program, err := os.ReadFile(filepath.Join(code.dir, "bootstrap"))
		if err != nil {
			return fmt.Errorf("reading %s: %w", p.code, err)
		}
		missing := size.files[0].Size - int64(len(program))
		if missing < 0 {
			return fmt.Errorf("%s is larger than %s: there is nothing to pad", p.code, p.size)
		}
		return os.WriteFile(filepath.Join(dir, "bootstrap"), append(program, Noise(missing)...), 0o755)
	}, nil
}

// Noise returns n bytes that do not compress, so the package grows both on the wire and on disk. The bytes are always
// the same, because ChaCha8 has a specification, which a new version of Go's library must keep.
func Noise(n int64) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

// compressed is the recipe of a bootstrap that UPX has packed and that unpacks itself at every cold start. UPX writes
// neither a time nor a name into its output, so the same version makes the same bytes on any machine.
type compressed struct{ of string }

func (c compressed) prepare(ctx context.Context, w *Workspace, a arm.Architecture) (string, writer, error) {
	upx, err := UPX()
	if err != nil {
		return "", nil, err
	}
	version, err := exec.CommandContext(ctx, upx, "--version").Output()
	if err != nil {
		return "", nil, fmt.Errorf("asking upx for its version: %w", err)
	}
	of, err := w.bootstrap(ctx, c.of, a)
	if err != nil {
		return "", nil, err
	}
	first, _, _ := strings.Cut(string(version), "\n")
	return first + " " + of.key, func(dir string) error {
		return Compress(ctx, upx, filepath.Join(of.dir, "bootstrap"), filepath.Join(dir, "bootstrap"))
	}, nil
}

// Compress packs a program with UPX, whose path is upx.
func Compress(ctx context.Context, upx, program, to string) error {
	cmd := exec.CommandContext(ctx, upx, "--best", "--lzma", "-qqq", "-o", to, program)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("running upx: %w: %s", err, list.OneLine(string(out)))
	}
	return nil
}

// UPX finds the program under its own name or Debian's name.
func UPX() (string, error) {
	for _, name := range []string{"upx", "upx-ucl"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", &UnavailableError{What: "a program packed by UPX", Why: "upx is not in PATH",
		Remedy: "install it (apt-get install upx-ucl, on Debian 12 from bookworm-backports)"}
}
