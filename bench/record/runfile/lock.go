package runfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// LockName is the file in a run's folder that the process measuring into it holds locked. It stays there: a lock ends with its process,
// however that ends, and a file that is removed could be locked by two.
const LockName = ".lock"

// errLocked says that another process holds the lock.
var errLocked = errors.New("locked")

// Lock keeps a folder to one run at a time, so that two do not write into the same files. The error names the process that has it.
func Lock(dir string) (release func() error, err error) {
	path := filepath.Join(dir, LockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
	if err := flock(f); err != nil {
		holder, _ := io.ReadAll(io.LimitReader(f, 32))
		f.Close()
		if errors.Is(err, errLocked) {
			return nil, fmt.Errorf("another run (process %s) is measuring into %s: wait for it, or choose another --out", strings.TrimSpace(string(holder)), dir)
		}
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
	if err := errors.Join(f.Truncate(0), write(f, fmt.Sprintln(os.Getpid()))); err != nil {
		f.Close()
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
	return f.Close, nil
}

func write(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}
