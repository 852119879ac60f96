package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// state has the lab's folders.
type state struct{ dir, packages, mnt string }

const temporaryPrefix = "twinstart-lab-"

// openState makes the lab's folder. If dir is empty, the folder is temporary. cleanup removes what must not stay.
func openState(dir string) (s state, cleanup func(), err error) {
	cleanup = func() {}
	if dir == "" {
		sweepTemporary()
		if dir, err = os.MkdirTemp("", temporaryPrefix+strconv.Itoa(os.Getpid())+"-"); err != nil {
			return s, nil, fmt.Errorf("making the lab's folder: %w", err)
		}
		cleanup = func() { os.RemoveAll(dir) }
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return s, nil, fmt.Errorf("making the lab's folder: %w", err)
	}
	s = state{dir: dir, packages: filepath.Join(dir, "packages"), mnt: filepath.Join(dir, "mnt")}
	for _, d := range []string{s.packages, filepath.Join(s.mnt, "root"), filepath.Join(s.mnt, "layer")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			cleanup()
			return s, nil, fmt.Errorf("making the lab's folder: %w", err)
		}
	}
	return s, cleanup, nil
}

// sweepTemporary removes the temporary folders that killed labs have left.
func sweepTemporary() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), temporaryPrefix+"*"))
	for _, dir := range left {
		name, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), temporaryPrefix), "-")
		if pid, err := strconv.Atoi(name); err == nil && pid > 0 && ended(pid) {
			os.RemoveAll(dir)
		}
	}
}
