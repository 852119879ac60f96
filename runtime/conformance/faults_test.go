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

// faults take away, one at a time, what a Lambda base may lack. /dev/fd, /dev/shm, /dev/pts and a /bin/sh other than Bash are
// missing for every test here: see TestMain.
var faults = []struct {
	name     string
	env      []string
	unlisted bool // the program may be executed and not read, so that the kernel gives /proc/self/fd to root
}{
	{name: "no folders of libraries", env: []string{"LD_LIBRARY_PATH="}},
	{name: "folders of libraries that are not there", env: []string{"LD_LIBRARY_PATH=/no/such/lib:/var/lang/lib"}},
	{name: "a locale that is not there", env: []string{"LC_ALL=xx_YY.UTF-8", "LANG=xx_YY.UTF-8"}},
	{name: "no locale", env: []string{"LC_ALL=", "LANG="}},
	{name: "no programs", env: []string{"PATH=/no/such/bin"}},
	{name: "an empty PATH", env: []string{"PATH="}},
	{name: "a TMPDIR that is not there", env: []string{"TMPDIR=/no/such/tmp"}},
	{name: "a TMPDIR that is read-only", env: []string{"TMPDIR=/proc/self"}},
	{name: "an empty HOME and SHELL", env: []string{"HOME=", "SHELL="}},
	{name: "proc/self/fd of another user", unlisted: true},
}

// TestFaults has every bootstrap with every isolation answer as ever, or end with a reason: as an error of INIT, of the event, or in the log.
func TestFaults(t *testing.T) {
	for _, f := range faults {
		for _, c := range columns(true) {
			t.Run(f.name+"/"+c.String(), func(t *testing.T) {
				t.Parallel()
				argv, root := c.command(t)
				s := scenario{files: handlerFile(echoArgument), events: events("1", "2"), chroot: root,
					env: append([]string{"TWINSTART_ISOLATION=" + c.isolation}, f.env...)}
				if root != "" {
					s.env = append(slices.Clone(minimalEnv), s.env...)
				}
				if f.unlisted {
					if argv = unreadable(t, root, argv); argv == nil {
						return // run by the base's own Bash, which anybody reads
					}
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

// unreadable is the command with its program in a copy that belongs to root and that others may only execute; nil for a script.
func unreadable(t *testing.T, root string, argv []string) []string {
	t.Helper()
	from := filepath.Join(root, argv[0])
	program, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 || strings.HasPrefix(string(program), "#!") {
		return nil
	}
	folder := cmp.Or(root, built)
	copied := filepath.Join(folder, "unreadable-"+filepath.Base(filepath.Dir(argv[0]))+"-"+filepath.Base(argv[0]))
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
