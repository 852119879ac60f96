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

	"github.com/twinstart/twinstart/tools/need"
)

// faults remove, one at a time, what a base of Lambda may lack. Every test in this package already runs without
// /dev/fd, /dev/shm and /dev/pts, and those in image-minimal also without programs and /bin/sh.
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
	// Bash and the program may be executed but not read. Then the kernel gives /proc/self/fd to root.
	{name: "proc-self-fd of another user", unreadable: true},
}, withoutEach("cat", "curl", "cut", "grep", "mktemp", "sed", "tail", "tee", "tr")...)

type fault struct {
	name       string
	env        []string
	without    string // the file that the root lacks
	program    string // the program that PATH lacks
	unreadable bool
}

// withoutEach returns a fault for each program. bashcurl is the bootstrap that calls these programs.
func withoutEach(programs ...string) (list []fault) {
	for _, program := range programs {
		list = append(list, fault{name: "no " + program, program: program})
	}
	return list
}

// path returns a folder with all programs that bootstraps call, except the fault's program.
func (f fault) path(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, other := range slices.Concat(faults, []fault{{program: "bash"}}) {
		if at, err := exec.LookPath(other.program); other.program != "" && other.program != f.program {
			if err = cmp.Or(err, os.Symlink(at, filepath.Join(dir, other.program))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// TestFaults runs every bootstrap with every isolation on the base and in image-minimal. Each must answer as usual
// or report a reason: as an error of INIT or of the event, or in the log.
func TestFaults(t *testing.T) {
	for _, f := range faults {
		for _, c := range columns(true) {
			if f.program != "" && c.minimal {
				continue // image-minimal has no programs: see "no programs"
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
						need.Missing(t, "it needs root")
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

// root returns a root for the column that has the fault.
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

// named checks that a failure has a reason that a person can read.
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

// unreadable replaces the command's program by a copy that belongs to root and that others may execute but not
// read. It does not copy a script.
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
	// Let another program copy it: while this process has a file open for writing, a fork elsewhere in it would
	// keep the program from starting.
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
