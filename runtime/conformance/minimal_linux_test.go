package conformance

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/tools/need"
)

// column is a bootstrap with an isolation in a package.
type column struct {
	bootstrap
	isolation string
	minimal   bool // in image-minimal; else on the base, in zip and image alike: both have the same files and the same Bash
}

func (c column) String() string {
	name := strings.TrimSuffix(c.name+"/"+c.isolation, "/")
	if c.minimal {
		return string(arm.ImageMinimal) + "/" + name
	}
	return name
}

// outcome finds what differs here: by package, bootstrap and isolation, by package alone, by bootstrap and isolation, or by bootstrap.
func (c column) outcome(differs map[string]string) (string, bool) {
	names := []string{c.String(), c.name}
	if c.minimal {
		names = []string{c.String(), string(arm.ImageMinimal), column{c.bootstrap, c.isolation, false}.String(), c.name}
	}
	for _, name := range names {
		if outcome, named := differs[name]; named {
			return outcome, true
		}
	}
	return "", false
}

// columns are all that there is, each with its isolations: "" alone where there is a process per event in any case, unless all are asked for.
// In image-minimal there is no curl for bashcurl, and bashtcp-static is bashtcp: /bin/bash is a link to its Bash. Worker stands for the
// isolations there: what it takes from the root are the same files.
func columns(all bool) (list []column) {
	for _, minimal := range []bool{false, true} {
		for _, b := range bootstraps {
			if minimal && (testing.Short() || b.name == "bashcurl" || b.name == "bashtcp-static") {
				continue
			}
			rows := isolations
			if !all && b.name != "rawsyscall" && !strings.HasPrefix(b.name, "bashtcp") {
				rows = []string{""}
			} else if minimal {
				rows = rows[slices.Index(rows, "worker"):][:1]
			}
			for _, isolation := range rows {
				list = append(list, column{b, isolation, minimal})
			}
		}
	}
	return list
}

// command is what starts a bootstrap, and the root that it sees: "" is the machine's own.
func (c column) command(t *testing.T) (argv []string, root string) {
	t.Helper()
	if !c.minimal {
		return c.argv(t), ""
	}
	return []string{"/var/task/bootstrap"}, minimalRoot(t, c.name)
}

// minimalEnv is what the image's Dockerfile sets.
var minimalEnv = []string{"LC_CTYPE=C"}

// minimalRoots are laid out once, by bootstrap.
var minimalRoots = map[string]string{}

// minimalRoot is what images/minimal makes of the package of a bootstrap: the static Bash, the package, an empty /tmp; and /dev and /proc.
func minimalRoot(t *testing.T, bootstrap string) string {
	t.Helper()
	builds.Lock()
	defer builds.Unlock()
	if root, laid := minimalRoots[bootstrap]; laid {
		return root
	}
	builds.Dir = built
	context, err := builds.ImageContext(t.Context(), arm.ImageMinimal, bootstrap, here, "../../handlers/echo")
	if unavailable := (*packages.UnavailableError)(nil); errors.As(err, &unavailable) {
		need.No(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(context, "root")
	err = errors.Join(os.Mkdir(filepath.Join(root, "var"), 0o755), os.Rename(filepath.Join(context, "package"), filepath.Join(root, "var/task")),
		os.Chmod(filepath.Join(root, "tmp"), 0o777|os.ModeSticky))
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
	minimalRoots[bootstrap] = root
	return root
}
