package sandbox

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/sandbox/inside"
)

// hostSpec returns a Spec that runs a shell command over the host's /usr.
func hostSpec(t *testing.T, command string) Spec {
	t.Helper()
	unprivileged, err := Probe(func(pid int) {
		if pid <= 0 {
			t.Errorf("process %d", pid)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	for _, dir := range []string{"usr", "proc", "dev", "tmp"} {
		if err := os.Mkdir(filepath.Join(base, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"bin", "lib", "lib64"} {
		if to, err := os.Readlink("/" + name); err == nil {
			if err := os.Symlink(to, filepath.Join(base, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return Spec{
		Root: base, Unprivileged: unprivileged,
		Mounts: []Mount{
			{Kind: inside.Bind, Source: base, Target: "/"}, {Kind: inside.Bind, Source: "/usr", Target: "/usr"},
			{Kind: inside.Proc, Target: "/proc"}, {Kind: inside.Dev, Target: "/dev"}, {Kind: inside.Tmpfs, Target: "/tmp", SizeMB: 1},
		},
		Command: Command{Argv: []string{"/usr/bin/bash", "-c", command}, Env: []string{"PATH=/usr/bin", "A=b c"}, Dir: "/tmp"},
	}
}

// begin starts an environment. output returns its output up to the end.
func begin(t *testing.T, spec Spec) (e *Environment, output func() string) {
	t.Helper()
	var log bytes.Buffer
	e, err := Begin(spec, &log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Kill(); <-e.Gone() })
	return e, func() string {
		e.Kill()
		<-e.Gone()
		return log.String()
	}
}

func exit(t *testing.T, e *Environment) Exit {
	t.Helper()
	select {
	case got := <-e.Exited:
		return got
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
		return Exit{}
	}
}

func TestEnvironment(t *testing.T) {
	e, output := begin(t, hostSpec(t, `echo "$A" $$ $PPID $(</proc/sys/kernel/hostname) $PWD; echo "$(id -u):$(id -g)" >&2; ls / /dev | tr '\n' ' '; ulimit -n; (echo x >/usr/x) 2>/dev/null || echo read-only
		head -c 2000000 /dev/zero >/tmp/full 2>/dev/null || echo full; exit 3`))
	if err := e.Ready(); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	time.Sleep(50 * time.Millisecond) // nothing may happen before the release
	released := time.Now()
	if err := e.Tell(inside.Release); err != nil {
		t.Fatal(err)
	}
	s := <-e.Started
	if s.Err != nil || s.At.Before(released) || time.Since(s.At) > time.Minute || s.At.Sub(before) < 50*time.Millisecond {
		t.Errorf("got %+v", s)
	}
	got := exit(t, e)
	if got.Reason() != "exit status 3" || got.MaxRSSKiB < 500 {
		t.Errorf("got %+v", got)
	}
	lines := strings.Split(output(), "\n")
	words := strings.Fields(lines[0])
	if len(words) != 6 || strings.Join(words[:2], " ") != "b c" || words[2] == "1" || words[3] != "1" || words[4] != "lambda" || words[5] != "/tmp" {
		t.Errorf("got %q", lines[0])
	}
	rest := strings.Join(lines[1:], "\n")
	if !strings.HasPrefix(rest, "993:990\n/: bin dev lib lib64 proc tmp usr  /dev: full null random stderr stdin stdout urandom zero 1024\nread-only\nfull") {
		t.Errorf("got %q", rest)
	}
}

// A descriptor that is open in the shell that starts the lab would be a way out of the root.
func TestInheritedDescriptorsStayOutside(t *testing.T) {
	root, err := syscall.Open("/", syscall.O_RDONLY, 0) // without O_CLOEXEC, like a shell's files
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(root)
	e, output := begin(t, hostSpec(t, `cd /proc/self/fd; echo *`))
	if err := e.Ready(); err != nil {
		t.Fatal(err)
	}
	e.Tell(inside.Release)
	exit(t, e)
	if got := output(); got != "0 1 2 3\n" { // 3 is open to read the folder
		t.Errorf("open are %s", got)
	}
}

// Limits and blocked signals of the shell that started the lab must not reach the function.
func TestInheritedLimitsAndSignals(t *testing.T) {
	spec := hostSpec(t, `ulimit -Ss; ulimit -Sn; ulimit -Sc; umask; while read -r a b; do [[ $a != SigBlk: ]] || echo $b; done </proc/self/status`)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var stack unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_STACK, &stack); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_STACK, &unix.Rlimit{Cur: 4 << 20, Max: stack.Max}); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_STACK, &stack)
	e, output := begin(t, spec)
	if err := e.Ready(); err != nil {
		t.Fatal(err)
	}
	e.Tell(inside.Release)
	exit(t, e)
	if got := output(); got != "8192\n1024\n0\n0022\n0000000000000000\n" {
		t.Errorf("got %s", got)
	}
}

func TestNothingToExecute(t *testing.T) {
	spec := hostSpec(t, "")
	spec.Command.Argv = []string{"/var/task/bootstrap"}
	e, _ := begin(t, spec)
	if err := e.Ready(); err != nil {
		t.Fatal(err)
	}
	e.Tell(inside.Release)
	if s := <-e.Started; s.Err == nil || s.Err.Error() != "fork/exec /var/task/bootstrap: no such file or directory" {
		t.Errorf("got %+v", s)
	}
}

// A file that another process has open for writing cannot be executed. The start must be tried again.
func TestBootstrapThatIsStillOpen(t *testing.T) {
	spec := hostSpec(t, "")
	path := filepath.Join(spec.Root, "bootstrap")
	text, err := os.ReadFile("/usr/bin/true")
	if err == nil {
		err = os.WriteFile(path, text, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	spec.Command.Argv = []string{"/bootstrap"}
	open, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	e, _ := begin(t, spec)
	if err := e.Ready(); err != nil {
		t.Fatal(err)
	}
	e.Tell(inside.Release)
	if s := <-e.Started; !errors.Is(s.Err, ErrBroken) || !errors.Is(s.Err, syscall.ETXTBSY) { // the machine's fault, not the package's
		t.Error(s.Err)
	}
	time.AfterFunc(300*time.Millisecond, func() { open.Close() })
	e.Tell(inside.Release)
	if s := <-e.Started; s.Err != nil {
		t.Error(s.Err)
	}
}

func TestSetUpThatFails(t *testing.T) {
	spec := hostSpec(t, "")
	spec.Mounts = append(spec.Mounts, Mount{Kind: inside.Bind, Source: "/usr", Target: "/nowhere"})
	e, _ := begin(t, spec)
	if err := e.Ready(); err == nil || !strings.Contains(err.Error(), "the root file system needs a folder /nowhere to mount on") {
		t.Errorf("got %v", err)
	}
	<-e.Gone()
}

func TestStopAndReleaseAgain(t *testing.T) {
	e, output := begin(t, hostSpec(t, `[[ -e /tmp/again ]] && { echo again; exit 0; }; touch /tmp/again; (setsid sleep 1000 &); sleep 1000`))
	if err := e.Ready(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := e.Tell(inside.Release); err != nil {
			t.Fatal(err)
		}
		if s := <-e.Started; s.Err != nil {
			t.Fatal(s.Err)
		}
		time.Sleep(200 * time.Millisecond)
		if err := e.Stop(); err != nil {
			t.Fatal(err)
		}
		if kib := e.MemoryHighWaterKiB(); kib != 0 {
			t.Errorf("processes of %d KiB live on", kib)
		}
	}
	if got := output(); got != "again\n" {
		t.Errorf("got %q", got)
	}
}

// A handler may kill its own process, group or session. That must not reach process 1.
func TestBootstrapKillsItself(t *testing.T) {
	e, _ := begin(t, hostSpec(t, `kill -9 0`))
	if err := e.Ready(); err != nil {
		t.Fatal(err)
	}
	e.Tell(inside.Release)
	<-e.Started
	if got := exit(t, e); got.Reason() != "signal: killed" {
		t.Errorf("got %+v", got)
	}
	if err := syscall.Kill(e.PID(), 0); err != nil {
		t.Error(err)
	}
}

func TestKilledEnvironmentIsGone(t *testing.T) {
	e, _ := begin(t, hostSpec(t, `sleep 1000`))
	if err := e.Ready(); err != nil {
		t.Fatal(err)
	}
	e.Tell(inside.Release)
	<-e.Started
	e.Kill()
	select {
	case <-e.Gone():
	case <-time.After(10 * time.Second):
		t.Fatal("it lives")
	}
	if e.Tell(inside.Release) == nil || e.Stop() == nil {
		t.Error("no error")
	}
}

// If the root cannot be described, no test runs and nothing is left in the working folder.
func TestWithinWithoutLayout(t *testing.T) {
	t.Chdir(t.TempDir())
	failure := errors.New("no base")
	status, err := within(true, func(string) (Layout, error) { return Layout{}, failure })
	if left, _ := os.ReadDir("."); status != 1 || !errors.Is(err, failure) || len(left) > 0 {
		t.Errorf("status %d, %v; left %v", status, err, left)
	}
}
