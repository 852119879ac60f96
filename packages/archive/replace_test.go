package archive_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/twinstart/twinstart/packages/archive"
)

// ReplaceFile writes into a pipe or a device. If it renamed a file to /dev/null, root would lose the device.
func TestReplaceLeavesPipesAndDevices(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() {
		text, _ := os.ReadFile(pipe)
		read <- string(text)
	}()
	if err := archive.ReplaceFile(pipe, 0o644, []byte("text")); err != nil {
		t.Fatal(err)
	}
	if got := <-read; got != "text" {
		t.Errorf("read %q", got)
	}
	if info, err := os.Lstat(pipe); err != nil || info.Mode().IsRegular() {
		t.Errorf("want the pipe to stay: %v, %v", info, err)
	}
	dir := t.TempDir()
	if err := archive.ReplaceFile(dir, 0o644, nil); err == nil || err.Error() != "writing "+dir+": is a directory: name another file" {
		t.Errorf("a folder: %v", err)
	}
}
