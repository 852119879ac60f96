package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/archive"
)

// MountPoints lists the folders that every root file system must have, because an environment mounts something there.
func MountPoints() []string { return []string{"/proc", "/dev", "/tmp"} }

// OpenBase returns the layout of an environment without a package. Its base is provided:al2023, unpacked at baseRoot.
// If baseRoot is "", OpenBase makes a base around the host's /usr and keeps it in stateDir.
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
			return l, fmt.Errorf("base root %s has no folder %s: "+
				"unpack the whole of public.ecr.aws/lambda/provided:al2023 there", baseRoot, need)
		}
	}
	return sandbox.Layout{Base: dir}, nil
}

// hostBase makes a small folder that becomes /, read-only, with the host's /usr mounted in it.
func hostBase(stateDir string) (l sandbox.Layout, err error) {
	l.HostMounts, l.Instead = []string{"/usr"}, bashForSh()
	l.Base, err = archive.Keep(filepath.Join(stateDir, "base"), func(dir string) error {
		t := &tree{dir: dir}
		for _, name := range append(MountPoints(), "/usr", "/var/lang", "/var/runtime", sandbox.LayerRoot, sandbox.TaskRoot) {
			t.folder(name)
		}
		for _, name := range shared {
			if info, err := os.Lstat(name); err == nil && info.IsDir() {
				t.folder(name)
				l.HostMounts = append(l.HostMounts, name)
			} else {
				t.copy(name)
			}
		}
		t.file("/etc/passwd", passwd(sandbox.UID))
		t.file("/etc/group", "root:x:0:\n") // a function's group has no name
		t.file("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")
		for _, name := range copied {
			t.copy(name)
		}
		return errors.Join(t.err, archive.Settle(dir))
	})
	if err != nil {
		return l, fmt.Errorf("making a base from the host's /usr: %w", err)
	}
	return l, nil
}

// shared lists folders of the host that a base mounts, or copies if they are links. Those of /etc have links into /usr,
// for example the link of Debian's awk, and the certificates that curl trusts. They have no private keys.
var shared = []string{
	"/bin", "/sbin", "/lib", "/lib64", "/lib32", // links into /usr on most hosts
	"/etc/alternatives", "/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted",
}

// copied lists the files of the host that hostBase copies.
var copied = []string{
	"/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/ld.so.cache", "/etc/localtime", "/etc/host.conf", "/etc/services",
	"/etc/protocols",
}

// passwd returns the content of /etc/passwd on Lambda, with uid as the ID of the functions' user.
func passwd(uid int) string {
	return "root:x:0:0:root:/root:/bin/bash\n" +
		fmt.Sprintf("sbx_user1051:x:%d:%d::/home/sbx_user1051:/sbin/nologin\n", uid, sandbox.GID)
}

// bashForSh returns the mount that makes /bin/sh Bash, as on Amazon Linux: Bash over the host's own shell (dash). The
// link /bin/sh itself is in a read-only /usr and cannot be changed. An overlay for one file would make the kernel look
// up every path of the warm base again. If /bin/sh is busybox, nothing is mounted, because busybox is also other
// commands.
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

// tree is a small file system that is written below a folder.
type tree struct {
	dir string
	err error
}

func (t *tree) folder(name string) {
	t.err = errors.Join(t.err, os.MkdirAll(filepath.Join(t.dir, name), 0o755))
}

func (t *tree) file(name, content string) {
	t.folder(filepath.Dir(name))
	t.err = errors.Join(t.err, os.WriteFile(filepath.Join(t.dir, name), []byte(content), 0o644))
}

// copy adds a file or link of the host. It leaves out a path that does not exist or cannot be read.
func (t *tree) copy(name string) {
	link, err := os.Readlink(name)
	if err == nil && !strings.HasPrefix(link, "/run/") && !strings.HasPrefix(link, "../run/") {
		t.folder(filepath.Dir(name))
		t.err = errors.Join(t.err, os.Symlink(link, filepath.Join(t.dir, name)))
		return
	}
	// A link into /run (systemd's resolv.conf) would lead nowhere in the environment, so its content is copied.
	content, err := os.ReadFile(name)
	if err == nil {
		t.file(name, string(content))
	}
	t.note(err)
}

// note keeps an error, unless it says that the host has no such file or keeps it secret.
func (t *tree) note(err error) {
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		t.err = errors.Join(t.err, err)
	}
}
