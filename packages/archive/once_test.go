package archive

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"
)

// If many callers make a folder at once, it is complete as soon as it has its name, and nothing else is left.
func TestOnce(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "parent")
	dir := filepath.Join(parent, "made")
	failed := errors.New("no room")
	if err := Once(dir, func(string) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("want the error of the caller: %v", err)
	}
	var all errgroup.Group
	for range 20 {
		all.Go(func() error {
			return errors.Join(Once(dir, func(work string) error {
				return errors.Join(os.Mkdir(filepath.Join(work, "a"), 0o755), os.WriteFile(filepath.Join(work, "a", "file"), []byte("whole"), 0o644))
			}), whole(dir))
		})
	}
	if err := all.Wait(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
	if err := Once(dir, func(string) error { return failed }); err != nil {
		t.Errorf("it was made again: %v", err)
	}
}

func whole(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "a", "file"))
	if err == nil && string(text) != "whole" {
		err = errors.New("the file has the text " + string(text))
	}
	return err
}
