package coldfs

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// mkfs is looked for where Debian keeps it, which is not in an ordinary user's PATH.
func mkfs() (string, error) {
	if path, err := exec.LookPath("mkfs.ext4"); err == nil {
		return path, nil
	}
	for _, path := range []string{"/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4"} {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("mkfs.ext4 is not installed (package e2fsprogs)")
}

// makeImage writes a read-only ext4 image of a folder: no journal, no reserve, and a fixed identity, so that the same folder is
// laid out the same way every time.
func makeImage(image, tree string) error {
	program, err := mkfs()
	if err != nil {
		return err
	}
	const block = 4096
	var blocks, inodes int64
	err = filepath.WalkDir(tree, func(_ string, entry fs.DirEntry, err error) error {
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
	out, err := exec.CommandContext(context.Background(), program, "-q", "-F", "-b", strconv.Itoa(block), "-m", "0", "-N", strconv.FormatInt(inodes+32, 10), "-O", "^has_journal,^resize_inode",
		"-U", identity, "-E", "root_owner=0:0,lazy_itable_init=0,nodiscard,hash_seed="+identity, "-d", tree, image, strconv.FormatInt(kib, 10)+"k").CombinedOutput()
	if err != nil {
		return fmt.Errorf("running mkfs.ext4: %w: %s", err, strings.Join(strings.Fields(string(out)), " "))
	}
	return nil
}
