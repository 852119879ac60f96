package runfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// LockName is the file in a run's folder that the process measuring into it holds locked. It stays there: a lock ends with its process,
// however that ends, and a file that is removed could be locked by two.
const LockName = ".lock"

// Lock keeps a folder to one run at a time, so that two do not write into the same files. The error names the process that has it.
func Lock(dir string) (release func() error, err error) {
	file := flock.New(filepath.Join(dir, LockName), flock.SetFlag(os.O_RDWR|os.O_CREATE), flock.SetPermissions(0o644))
	held, err := file.TryLock()
	if err == nil && !held {
		holder, _ := os.ReadFile(file.Path())
		return nil, fmt.Errorf("another run (process %s) is measuring into %s: wait for it, or choose another --out", strings.TrimSpace(string(holder)), dir)
	}
	if err == nil {
		err = os.WriteFile(file.Path(), fmt.Appendln(nil, os.Getpid()), 0o644)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", dir, err), file.Close())
	}
	return file.Close, nil
}
