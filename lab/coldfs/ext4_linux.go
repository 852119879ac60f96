package coldfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// The programs that make an image.
const (
	mkfs    = "mkfs.ext4"
	debugfs = "debugfs"
)

// program finds a program in PATH, or where Debian keeps it, which is not in an ordinary user's PATH.
func program(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, path := range []string{"/usr/sbin/" + name, "/sbin/" + name} {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed (package e2fsprogs)", name)
}

func run(name string, args ...string) error {
	path, err := program(name)
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(context.Background(), path, args...).CombinedOutput()
	if err == nil && name == debugfs && strings.Contains(string(out), "rmdir:") { // even then its exit status is 0
		err = errors.New("it left the folder")
	}
	if err != nil {
		return fmt.Errorf("running %s: %w: %s", name, err, strings.Join(strings.Fields(string(out)), " "))
	}
	return nil
}

// makeImage writes a read-only ext4 image of a folder. It has no journal, no reserved blocks and a fixed identity,
// so the same folder always gives the same layout.
func makeImage(image, tree string) error {
	const block = 4096
	var blocks, inodes int64
	err := filepath.WalkDir(tree, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			inodes++
			blocks += info.Size()/block + 1
		}
		return err
	})
	if err != nil {
		return err
	}
	const identity = "8a1b7c52-0d5e-4c09-9b0e-7477696e7374"
	kib := (blocks+blocks/16+inodes/8)*block>>10 + 1024
	err = run(mkfs, "-q", "-F", "-b", strconv.Itoa(block), "-m", "0", "-N", strconv.FormatInt(inodes+32, 10), "-O", "^has_journal,^resize_inode",
		"-U", identity, "-E", "root_owner=0:0,lazy_itable_init=0,nodiscard,hash_seed="+identity, "-d", tree, image, strconv.FormatInt(kib, 10)+"k")
	if err != nil {
		return err
	}
	// Lambda's /var/task has no lost+found. A folder that belongs to root would break a handler's cp -r.
	if _, err := os.Lstat(filepath.Join(tree, lostAndFound)); err == nil {
		return nil // the package itself has a file of this name
	}
	return run(debugfs, "-w", "-R", "rmdir "+lostAndFound, image)
}

const lostAndFound = "lost+found"
