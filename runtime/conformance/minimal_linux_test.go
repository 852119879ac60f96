package conformance

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/tools/need"
)

// unmounts undo the mounts that tests have made below built.
var unmounts []func() error

// roots are made once; the key says what a root contains.
var roots = map[string]string{}

// minimalRoot returns a root as images/minimal makes it of a bootstrap's package: the static Bash, the package, an
// empty /tmp; and also /dev and /proc. Each fault has a separate root.
func minimalRoot(t *testing.T, bootstrap, fault string) string {
	t.Helper()
	builds.Lock()
	defer builds.Unlock()
	if root, laid := roots[bootstrap+fault]; laid {
		return root
	}
	builds.Dir = filepath.Join(built, strings.ReplaceAll(fault, " ", "-"))
	if err := os.MkdirAll(builds.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	context, err := builds.ImageContext(t.Context(), arm.ImageMinimal, bootstrap, here, "../../handlers/echo")
	if unavailable := (*packages.UnavailableError)(nil); errors.As(err, &unavailable) {
		need.No(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(context, "root")
	err = errors.Join(os.Mkdir(filepath.Join(root, "var"), 0o755), os.Rename(filepath.Join(context, "package"), filepath.Join(root, "var/task")),
		os.Chmod(filepath.Join(root, "tmp"), 0o777|os.ModeSticky), bringAlong(filepath.Join(root, broughtAlong)))
	for _, dir := range []string{"/dev", "/proc"} {
		at := filepath.Join(root, dir)
		if err == nil {
			err = os.Mkdir(at, 0o755)
		}
		if err == nil {
			if err = unix.Mount(dir, at, "", unix.MS_BIND|unix.MS_REC, ""); errors.Is(err, unix.EPERM) {
				need.No(t, fmt.Errorf("mounting on %s: %w", at, err))
			}
		}
		if err == nil {
			unmounts = append(unmounts, func() error { return unix.Unmount(at, unix.MNT_DETACH) })
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	roots[bootstrap+fault] = root
	return root
}

// bringAlong puts programs into a folder: one static file under several names.
func bringAlong(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	source := filepath.Join(dir, "programs.go")
	if err := os.WriteFile(source, []byte(programs), 0o644); err != nil {
		return err
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "cat"), source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building programs: %w\n%s", err, output)
	}
	return errors.Join(os.Symlink("cat", filepath.Join(dir, "sleep")), os.Symlink("cat", filepath.Join(dir, "touch")))
}

// poorRoot returns the base without what a fault removes. It mounts the base again and covers the removed file with
// an empty one, or with a Bash that may only be executed.
func poorRoot(t *testing.T, f fault) string {
	t.Helper()
	builds.Lock()
	defer builds.Unlock()
	if root, laid := roots[f.name]; laid {
		return root
	}
	root, err := os.MkdirTemp(built, "poor")
	cover := filepath.Join(built, "cover-"+filepath.Base(root))
	over := f.without
	if f.unreadable {
		over = "/bin/bash"
		if output, failed := exec.CommandContext(t.Context(), "install", "-m", "711", over, cover).CombinedOutput(); failed != nil {
			t.Fatalf("%v: %s", failed, output)
		}
	} else {
		err = errors.Join(err, os.WriteFile(cover, nil, 0))
	}
	real, missing := filepath.EvalSymlinks(over)
	if err = errors.Join(err, missing); err == nil {
		err = unix.Mount("/", root, "", unix.MS_BIND|unix.MS_REC, "")
	}
	if err == nil {
		unmounts = append(unmounts, func() error { return unix.Unmount(root, unix.MNT_DETACH) })
		err = unix.Mount(cover, filepath.Join(root, real), "", unix.MS_BIND, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	roots[f.name] = root
	return root
}

// programs is the source of cat, sleep and touch. The program acts by the name that it is called by.
const programs = `package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

func main() {
	if err := run(filepath.Base(os.Args[0]), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(name string, args []string) error {
	for _, arg := range args {
		switch name {
		case "sleep":
			d, err := time.ParseDuration(arg + "s")
			if err != nil {
				return err
			}
			time.Sleep(d)
		case "touch":
			f, err := os.OpenFile(arg, os.O_CREATE, 0o644)
			if err != nil {
				return err
			}
			f.Close()
		case "cat":
			f, err := os.Open(arg)
			if err != nil {
				return err
			}
			_, err = io.Copy(os.Stdout, f)
			return err
		}
	}
	if name == "cat" {
		_, err := io.Copy(os.Stdout, os.Stdin)
		return err
	}
	return nil
}
`
