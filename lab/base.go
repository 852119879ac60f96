package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/archive"
)

// base is what lies below a package: a root file system, and the folders of the host that are mounted on it.
type base struct {
	root       string
	hostMounts []string
	instead    map[string]string // see sandbox.Layout
	noTask     bool              // /var/task and /opt exist and are empty, as on Lambda
}

// layout returns the layout below any package.
func (b base) layout() sandbox.Layout {
	return sandbox.Layout{Base: b.root, HostMounts: b.hostMounts, Instead: b.instead}
}

// MountPoints lists the folders that a root file system must have, because an execution environment mounts on them.
func MountPoints() []string { return []string{"/proc", "/dev", "/tmp"} }

// OpenBase returns the layout of an environment without a package. Its base is an unpacked provided:al2023, or the
// host's /usr if baseRoot is "". stateDir keeps what OpenBase makes.
func OpenBase(baseRoot, stateDir string) (sandbox.Layout, error) {
	b, err := openBase(baseRoot, stateDir)
	return b.layout(), err
}

// openBase uses an unpacked provided:al2023, or makes a root file system around the host's /usr.
func openBase(baseRoot, stateDir string) (base, error) {
	if baseRoot == "" {
		return hostBase(stateDir)
	}
	dir, err := filepath.Abs(baseRoot)
	if err != nil {
		return base{}, fmt.Errorf("reading the base root: %w", err)
	}
	for _, need := range append([]string{"/usr", sandbox.TaskRoot}, MountPoints()...) {
		if info, err := os.Stat(filepath.Join(dir, need)); err != nil || !info.IsDir() {
			return base{}, fmt.Errorf("base root %s has no folder %s: unpack the whole of public.ecr.aws/lambda/provided:al2023 there", baseRoot, need)
		}
	}
	task, err := os.ReadDir(filepath.Join(dir, sandbox.TaskRoot))
	if err != nil {
		return base{}, fmt.Errorf("reading the base root: %w", err)
	}
	layers, err := os.ReadDir(filepath.Join(dir, sandbox.LayerRoot))
	return base{root: dir, noTask: len(task) == 0 && err == nil && len(layers) == 0}, nil
}

// hostBase makes the folder that is / around the host's /usr. It is small, it is used read-only, and its name is a
// digest of its content.
func hostBase(stateDir string) (base, error) {
	var mounts []string
	b := &tree{}
	for _, dir := range []string{"/usr", "/proc", "/dev", "/tmp", sandbox.LayerRoot, "/var/lang", "/var/runtime", sandbox.TaskRoot} {
		b.dir(dir)
	}
	mounts = append(mounts, "/usr")
	for _, name := range []string{"/bin", "/sbin", "/lib", "/lib64", "/lib32"} {
		info, err := os.Lstat(name)
		switch {
		case err != nil:
		case info.Mode()&fs.ModeSymlink != 0:
			b.copy(name)
		case info.IsDir(): // on this host /bin, /lib and so on are not links into /usr
			b.dir(name)
			mounts = append(mounts, name)
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
	if b.err != nil {
		return base{}, fmt.Errorf("making a base from the host's /usr: %w", b.err)
	}
	root := filepath.Join(stateDir, "base-"+coldfs.Digest(b.text.String()))
	if err := b.write(root); err != nil {
		return base{}, fmt.Errorf("making a base from the host's /usr: %w", err)
	}
	return base{root: root, hostMounts: mounts, instead: bashForSh(), noTask: true}, nil
}

func passwd(uid int) string {
	return fmt.Sprintf("root:x:0:0:root:/root:/bin/bash\nsbx_user1051:x:%d:%d::/home/sbx_user1051:/sbin/nologin\n", uid, sandbox.GID)
}

// users writes an /etc/passwd with this user, whose name and home programs ask for. It is to be removed once it is mounted.
func (l *Lab) users(uid int) (string, error) {
	f, err := os.CreateTemp(l.mnt, "passwd-")
	if err != nil {
		return "", fmt.Errorf("writing /etc/passwd: %w", err)
	}
	_, err = f.WriteString(passwd(uid))
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("writing /etc/passwd: %w", err)
	}
	return f.Name(), nil
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

// tree is a small file system to be written. text describes all of it.
type tree struct {
	entries []entry
	text    strings.Builder
	err     error
}

type entry struct {
	path, content, link string
	isDir               bool
}

func (t *tree) add(e entry) {
	t.entries = append(t.entries, e)
	fmt.Fprintf(&t.text, "%q %q %q %v\n", e.path, e.content, e.link, e.isDir)
}

func (t *tree) dir(path string)           { t.add(entry{path: path, isDir: true}) }
func (t *tree) file(path, content string) { t.add(entry{path: path, content: content}) }

// copy adds a file or link of the host. It leaves out a path that does not exist or cannot be read.
func (t *tree) copy(path string) {
	if link, err := os.Readlink(path); err == nil && !strings.HasPrefix(link, "/run/") && !strings.HasPrefix(link, "../run/") {
		t.add(entry{path: path, link: link})
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

func (t *tree) write(dir string) error {
	return archive.Once(dir, func(work string) error {
		for _, e := range t.entries {
			to := filepath.Join(work, e.path)
			parent := filepath.Dir(to)
			if e.isDir {
				parent = to
			}
			err := os.MkdirAll(parent, 0o755)
			switch {
			case err != nil || e.isDir:
			case e.link != "":
				err = os.Symlink(e.link, to)
			default:
				err = os.WriteFile(to, []byte(e.content), 0o644)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
