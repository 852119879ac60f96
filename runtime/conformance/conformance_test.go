package conformance

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/lab/usage"
)

// TestConformance is the table: every bootstrap x base and image-minimal x every scenario.
func TestConformance(t *testing.T) {
	unused := map[exceptionKey]bool{}
	for key := range exceptions {
		unused[key] = true
	}
	for _, b := range bootstraps {
		for _, s := range scenarios {
			key := exceptionKey{b.name, s.name}
			exception, excepted := exceptions[key]
			delete(unused, key)
			s.hangs = exception.hangs
			for _, c := range b.places("") {
				t.Run(c.String()+"/"+s.name, func(t *testing.T) {
					t.Parallel()
					o := c.run(t, s, patience)
					err := s.check(o)
					switch {
					case !excepted && err != nil:
						t.Errorf("%v\n%s", err, o)
					case excepted && err == nil:
						t.Errorf("now passes: delete its exception (%s)", exception.why)
					case excepted:
						if err := exception.check(o); err != nil {
							t.Errorf("is an exception (%s), but does not do what the exception says: %v\n%s", exception.why, err, o)
						}
					}
				})
			}
		}
	}
	for key := range unused {
		t.Errorf("exception %v names no bootstrap or no scenario", key)
	}
}

// asleep waits until a bootstrap's processes all sleep, as on Lambda, which ends environments that have been idle for
// minutes. Bash runs a trap only after its next read if the signal comes between its last check for signals and the
// system call of that read.
func asleep(pid int, within time.Duration) {
	awake := func(pid int) bool { return !usage.Asleep(pid) }
	end := time.Now().Add(within)
	for quiet := 0; quiet < 3 && time.Now().Before(end); quiet++ {
		time.Sleep(2 * time.Millisecond)
		if slices.ContainsFunc(slices.Collect(usage.Tree(pid)), awake) {
			quiet = -1
		}
	}
}

// scenario is what the API and the handler do, and what a bootstrap must then do.
type scenario struct {
	name    string
	files   map[string]string // below LAMBDA_TASK_ROOT; a file that starts with #! is executable
	handler string            // _HANDLER; "" is handler.run
	arg     string            // the first argument; if it is set, _HANDLER is not
	env     []string          // further environment
	events  []Event
	restore *Restore             // nil: the API does not know SnapStart
	chroot  string               // the folder of this machine that is the root; "" is the machine's root
	hangs   bool                 // the handler writes the file "hangs" into its task root, and goes on for ever
	ends    bool                 // when the bootstrap is idle, send SIGTERM as Lambda does to end an environment
	check   func(*outcome) error // nil if the bootstrap conforms
}

// outcome is what a bootstrap did until it waited for an event that never comes, or until it exited.
type outcome struct {
	requests []Request
	exited   bool // the bootstrap exited during the events, or in answer to the last one
	status   int  // exit status, if it exited
	hung     bool // it is neither idle nor exited
	stderr   string
	root     string        // LAMBDA_TASK_ROOT as this process sees it
	inside   string        // LAMBDA_TASK_ROOT as the bootstrap sees it
	cpu      time.Duration // CPU time of the bootstrap and its reaped children, if it has ended
}

// patience is the time after which a bootstrap counts as hung. It does not measure speed.
var patience time.Duration

func init() {
	flag.DurationVar(&patience, "patience", time.Minute, "how long a bootstrap may take before it counts as hung")
}

// knownHang is how long to watch a bootstrap whose handler hangs, to see that it does nothing else.
const knownHang = 1500 * time.Millisecond

// settle is how long to watch an idle bootstrap, to see that it does not exit.
const settle = 20 * time.Millisecond

func (s scenario) run(t *testing.T, argv []string, within time.Duration) *outcome {
	t.Helper()
	api, err := Listen(append([]Event(nil), s.events...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	if s.restore != nil {
		api.Snapshot(*s.restore)
	}
	root, tmp := folders(t, s.chroot) // tmp is removed after the test, with all that a bootstrap leaves there
	o := &outcome{root: root, inside: strings.TrimPrefix(root, s.chroot)}
	for name, content := range s.files {
		write(t, filepath.Join(o.root, name), content)
	}

	var stderr bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = o.inside
	cmd.Stderr = &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Chroot: s.chroot, Credential: user(t, o.root, tmp)}
	cmd.WaitDelay = time.Second
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"),
		"AWS_LAMBDA_RUNTIME_API=" + api.Address(),
		"LAMBDA_TASK_ROOT=" + cmd.Dir,
		"HOME=/nonexistent",
		"TMPDIR=" + strings.TrimPrefix(tmp, s.chroot),
		"LC_ALL=C.UTF-8",
	}, s.env...)
	if s.arg != "" {
		cmd.Args = append(cmd.Args, s.arg)
	} else {
		cmd.Env = append(cmd.Env, "_HANDLER="+cmp.Or(s.handler, "handler.run"))
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()

	ended := func(err error) {
		o.exited = true
		o.status = cmd.ProcessState.ExitCode()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			t.Log(err)
		}
	}
	kill := func() {
		usage.Kill(cmd.Process.Pid)
		<-exited
	}
	select {
	case err := <-exited:
		ended(err)
	case <-api.Idle():
		after := settle
		if s.ends {
			after = within
			asleep(cmd.Process.Pid, within)
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
		select {
		case err := <-exited:
			ended(err)
		case <-time.After(after):
			o.hung = s.ends
			kill()
		}
	case <-hanging(t.Context(), filepath.Join(root, "hangs"), s.hangs):
		select {
		case err := <-exited:
			ended(err)
		case <-api.Idle():
			kill()
		case <-time.After(knownHang):
			o.hung = true
			kill()
		}
	case <-time.After(within):
		o.hung = true
		kill()
	}
	o.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	o.requests = api.Requests()
	o.stderr = stderr.String()
	return o
}

// hanging returns a channel that is closed once a file exists, if there will be one. A busy machine may take seconds.
func hanging(ctx context.Context, file string, will bool) <-chan struct{} {
	exists := make(chan struct{})
	if !will {
		return exists
	}
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(file); err == nil {
				close(exists)
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return exists
}

// folders makes a task root and a /tmp for one test, below a root.
func folders(t *testing.T, chroot string) (root, tmp string) {
	t.Helper()
	if chroot == "" {
		return t.TempDir(), t.TempDir()
	}
	dir, err := os.MkdirTemp(filepath.Join(chroot, "tmp"), "test")
	for _, sub := range []*string{&root, &tmp} {
		if err == nil {
			*sub, err = os.MkdirTemp(dir, "")
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // below a chroot they are removed with it
	return root, tmp
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	mode := os.FileMode(0o644)
	if strings.HasPrefix(content, "#!") {
		mode = 0o755
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// user returns the user that a bootstrap runs as if root runs the tests: Lambda's user. It gives that user the
// folders.
func user(t *testing.T, folders ...string) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	for _, folder := range folders {
		if err := os.Chmod(filepath.Dir(folder), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(folder, sandbox.UID, sandbox.GID); err != nil {
			t.Fatal(err)
		}
	}
	return &syscall.Credential{Uid: sandbox.UID, Gid: sandbox.GID}
}
