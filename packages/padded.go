package packages

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"os"
	"path/filepath"

	"github.com/twinstart/twinstart/arm"
)

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
		return os.WriteFile(filepath.Join(dir, "bootstrap"), append(program, noise(missing)...), 0o755)
	}, nil
}

// noise returns n bytes that do not compress, so the package grows both on the wire and on disk. The bytes are
// always the same: AES-CTR with a key of zeros, which unlike a random generator cannot change with a library
// version.
func noise(n int64) []byte {
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
