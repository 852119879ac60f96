package lab

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/archive"
)

// MountPoints lists the folders that a root file system must have, because an execution environment mounts on them.
func MountPoints() []string { return []string{"/proc", "/dev", "/tmp"} }

// OpenBase returns the layout of an environment without a package. Its base is an unpacked provided:al2023, or a root
// file system around the host's /usr if baseRoot is "". stateDir keeps what OpenBase makes.
func OpenBase(baseRoot, stateDir string) (l sandbox.Layout, err error) {
	if baseRoot == "" {
		return hostBase(stateDir)
	}
	dir, err := filepath.Abs(baseRoot)
	if err != nil {
		return l, fmt.Errorf("reading the base root: %w", err)
	}
	for _, need := range append([]string{"/usr", sandbox.TaskRoot}, MountPoints()...) {
		if info, err := os.Stat(filepath.Join(dir, need)); err != nil || !info.IsDir() {
			return l, fmt.Errorf("base root %s has no folder %s: unpack the whole of public.ecr.aws/lambda/provided:al2023 there", baseRoot, need)
		}
	}
	return sandbox.Layout{Base: dir}, nil
}

// hostBase makes the folder that is / around the host's /usr. It is small, it is used read-only, and its name is a
// digest of its content.
func hostBase(stateDir string) (sandbox.Layout, error) {
	l := sandbox.Layout{HostMounts: []string{"/usr"}, Instead: bashForSh()}
	b := &tree{}
	b.tar = tar.NewWriter(&b.archive)
	for _, dir := range []string{"/usr", "/proc", "/dev", "/tmp", sandbox.LayerRoot, "/var/lang", "/var/runtime", sandbox.TaskRoot} {
		b.dir(dir)
	}
	for _, name := range []string{"/bin", "/sbin", "/lib", "/lib64", "/lib32"} {
		if info, err := os.Lstat(name); err == nil && info.IsDir() { // on this host it is not a link into /usr
			b.dir(name)
			l.HostMounts = append(l.HostMounts, name)
		} else {
			b.copy(name)
		}
	}
	b.file("/etc/passwd", passwd(sandbox.UID))
	b.file("/etc/group", "root:x:0:\n") // a function's group has no name
	b.file("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")
	for _, path := range []string{"/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/ld.so.cache", "/etc/localtime", "/etc/host.conf", "/etc/services", "/etc/protocols"} {
		b.copy(path)
	}
	// Links into /usr, such as the one for Debian's `awk`, and the certificates that curl trusts. Private keys are
	// not copied.
	for _, dir := range []string{"/etc/alternatives", "/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted"} {
		b.copyAll(dir)
	}
	err := errors.Join(b.err, b.tar.Close())
	l.Base = filepath.Join(stateDir, "base-"+coldfs.Digest(b.archive.String()))
	if err == nil {
		err = archive.Once(l.Base, func(dir string) error { return archive.Untar(&b.archive, dir) })
	}
	if err != nil {
		return l, fmt.Errorf("making a base from the host's /usr: %w", err)
	}
	return l, nil
}

func passwd(uid int) string {
	return fmt.Sprintf("root:x:0:0:root:/root:/bin/bash\nsbx_user1051:x:%d:%d::/home/sbx_user1051:/sbin/nologin\n", uid, sandbox.GID)
}

// bashForSh makes /bin/sh Bash, as it is on Amazon Linux. It mounts Bash over the host's own shell (dash). A link
// cannot be changed in a read-only /usr, and an overlay for one file would look up every path of a warm base again.
// If other commands also use the program behind /bin/sh, nothing is mounted over it.
func bashForSh() map[string]string {
	sh, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil || filepath.Base(sh) == "busybox" {
		return nil
	}
	bash, err := filepath.EvalSymlinks("/bin/bash")
	if err != nil || bash == sh {
		return nil
	}
	return map[string]string{sh: bash}
}

// tree is a small file system to be written, as a tar.
type tree struct {
	archive bytes.Buffer
	tar     *tar.Writer
	err     error
}

func (t *tree) add(h tar.Header, content string) {
	h.Size = int64(len(content))
	t.err = errors.Join(t.err, t.tar.WriteHeader(&h))
	_, err := io.WriteString(t.tar, content)
	t.err = errors.Join(t.err, err)
}

func (t *tree) dir(path string) {
	t.add(tar.Header{Typeflag: tar.TypeDir, Name: path, Mode: 0o755}, "")
}

func (t *tree) file(path, content string) {
	t.add(tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o644}, content)
}

// copy adds a file or link of the host. It leaves out a path that does not exist or cannot be read.
func (t *tree) copy(path string) {
	if link, err := os.Readlink(path); err == nil && !strings.HasPrefix(link, "/run/") && !strings.HasPrefix(link, "../run/") {
		t.add(tar.Header{Typeflag: tar.TypeSymlink, Name: path, Linkname: link}, "")
		return
	}
	// A link into /run (systemd's resolv.conf) would lead nowhere in the environment, so its content is copied.
	content, err := os.ReadFile(path)
	switch {
	case err == nil:
		t.file(path, string(content))
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission):
		t.err = errors.Join(t.err, err)
	}
}

func (t *tree) copyAll(dir string) {
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		t.copy(path)
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		t.err = errors.Join(t.err, err)
	}
}
