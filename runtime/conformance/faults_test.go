//go:build linux

package conformance

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// faults take away, one at a time, what a Lambda base may lack. /dev/fd, /dev/shm and /dev/pts are missing for every test here, and
// programs and /bin/sh for those in image-minimal.
var faults = append([]fault{
	{name: "no folders of libraries", env: []string{"LD_LIBRARY_PATH="}},
	{name: "folders of libraries that are not there", env: []string{"LD_LIBRARY_PATH=/no/such/lib:/var/lang/lib"}},
	{name: "a locale that is not there", env: []string{"LC_ALL=xx_YY.UTF-8", "LANG=xx_YY.UTF-8"}},
	{name: "no locale", env: []string{"LC_ALL=", "LANG="}},
	{name: "no programs", env: []string{"PATH=/no/such/bin"}},
	{name: "an empty PATH", env: []string{"PATH="}},
	{name: "a TMPDIR that is not there", env: []string{"TMPDIR=/no/such/tmp"}},
	{name: "a TMPDIR that is read-only", env: []string{"TMPDIR=/proc/self"}},
	{name: "an empty HOME and SHELL", env: []string{"HOME=", "SHELL="}},
	{name: "no bin-sh", without: "/bin/sh"},
	// Bash and the program may be executed and not read, so that the kernel gives /proc/self/fd to root.
	{name: "proc-self-fd of another user", unreadable: true},
}, withoutEach("cat", "curl", "cut", "grep", "mktemp", "sed", "tail", "tee", "tr")...)

type fault struct {
	name       string
	env        []string
	without    string // a file of the root
	program    string // which PATH does not have
	unreadable bool
}

// withoutEach takes the programs away that bootstraps call, all of them bashcurl's.
func withoutEach(programs ...string) (list []fault) {
	for _, program := range programs {
		list = append(list, fault{name: "no " + program, program: program})
	}
	return list
}

// path is a folder with all programs that bootstraps call, without the fault's.
func (f fault) path(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, other := range append(faults, fault{program: "bash"}) {
		if at, err := exec.LookPath(other.program); other.program != "" && other.program != f.program {
			if err = cmp.Or(err, os.Symlink(at, filepath.Join(dir, other.program))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// TestFaults has every bootstrap with every isolation on the base and in image-minimal answer as ever, or end with a reason: as an error of
// INIT, of the event, or in the log.
func TestFaults(t *testing.T) {
	for _, f := range faults {
		for _, c := range columns(true) {
			if f.program != "" && c.minimal {
				continue // which has no program at all: see "no programs"
			}
			t.Run(f.name+"/"+c.String(), func(t *testing.T) {
				t.Parallel()
				s := scenario{files: handlerFile(echoArgument), events: events("1", "2"), env: append([]string{"TWINSTART_ISOLATION=" + c.isolation}, f.env...)}
				if f.program != "" {
					s.env = append(s.env, "PATH="+f.path(t))
				}
				argv, root := c.command(t)
				if f.without != "" || f.unreadable {
					if os.Geteuid() != 0 {
						t.Skip("takes root")
					}
					root = f.root(t, c)
				}
				if s.chroot = root; c.minimal {
					s.env = append(slices.Clone(minimalEnv), s.env...)
				}
				if f.unreadable {
					argv = unreadable(t, root, argv)
				}
				o := s.run(t, argv, patience)
				if same := o.responses("1", "2"); same != nil {
					if err := o.named(); err != nil {
						t.Errorf("%v, and %v\n%s", same, err, o)
					}
				}
			})
		}
	}
}

// root is a column's with the fault, of its own.
func (f fault) root(t *testing.T, c column) string {
	t.Helper()
	if !c.minimal {
		return poorRoot(t, f)
	}
	if !f.unreadable {
		root := minimalRoot(t, c.name, "")
		if _, err := os.Stat(filepath.Join(root, f.without)); err == nil {
			t.Errorf("image-minimal has %s", f.without)
		}
		return root
	}
	root := minimalRoot(t, c.name, f.name)
	if err := os.Chmod(filepath.Join(root, "bin/bash"), 0o711); err != nil {
		t.Fatal(err)
	}
	return root
}

// named checks that what failed has a reason that a person can read.
func (o *outcome) named() error {
	if o.hung {
		return fmt.Errorf("hangs")
	}
	if o.exited && o.status > 0 && strings.TrimSpace(o.stderr) != "" {
		return nil
	}
	for _, r := range o.requests {
		if strings.HasSuffix(r.Path, "/error") {
			decoded, err := r.report()
			if err != nil || decoded.ErrorMessage == "" || decoded.ErrorType == "" {
				return fmt.Errorf("an error without a name: %q", r.Body)
			}
			return nil
		}
	}
	return fmt.Errorf("says nothing")
}

// unreadable is the command with its program in a copy that belongs to root and that others may only execute; a script stays.
func unreadable(t *testing.T, root string, argv []string) []string {
	t.Helper()
	from := filepath.Join(root, argv[0])
	program, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(string(program), "#!") {
		return argv
	}
	copied := filepath.Join(root, "tmp", "unreadable-"+filepath.Base(filepath.Dir(argv[0]))+"-"+filepath.Base(argv[0]))
	// By another program, for one that this process had open to write could not be started by whoever forks meanwhile.
	copying.Lock()
	defer copying.Unlock()
	if _, err := os.Stat(copied); err != nil {
		if output, err := exec.CommandContext(t.Context(), "install", "-m", "711", from, copied).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
	}
	return append([]string{strings.TrimPrefix(copied, root)}, argv[1:]...)
}

var copying sync.Mutex
