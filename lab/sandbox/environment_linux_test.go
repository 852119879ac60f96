package sandbox

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/sandbox/inside"
)

// hostSpec returns a Spec that runs a command in Bash. The root has the host's /usr.
func hostSpec(t *testing.T, command string) Spec {
	t.Helper()
	unprivileged, err := Probe(func(pid int) {
		if pid <= 0 {
			t.Errorf("Probe started process %d", pid)
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

// written collects what an environment writes.
type written struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *written) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *written) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// await waits until the output contains a text.
func (o *written) await(t *testing.T, text string) {
	t.Helper()
	for range 6000 {
		if strings.Contains(o.String(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("after a minute the output has no %q: %s", text, o)
}

// begin starts an environment. all ends the environment and returns its whole output.
func begin(t *testing.T, spec Spec) (e *Environment, all func() string) {
	t.Helper()
	e, _, all = beginWith(t, spec)
	return e, all
}

// beginWith also returns the output so far.
func beginWith(t *testing.T, spec Spec) (e *Environment, log *written, all func() string) {
	t.Helper()
	log = &written{}
	e, err := Begin(spec, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Kill(); <-e.Gone() })
	return e, log, func() string {
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
	case <-time.After(time.Minute):
		t.Fatal("after a minute the bootstrap has not ended")
		return Exit{}
	}
}

func TestEnvironment(t *testing.T) {
	e, output := begin(t, hostSpec(t, `echo "$A" $$ $PPID $(</proc/sys/kernel/hostname) $PWD; echo "$(id -u):$(id -g)" >&2; ls / /dev | tr '\n' ' '; ulimit -n; (echo x >/usr/x) 2>/dev/null || echo read-only
		head -c 2000000 /dev/zero >/tmp/full 2>/dev/null || echo full; exit 3`))
	if err := e.Ready(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // the bootstrap must not start before the release
	released := time.Now()
	if err := e.Tell(inside.Release); err != nil {
		t.Fatal(err)
	}
	s := <-e.Started
	if s.Err != nil || s.At.Before(released) || time.Since(s.At) > time.Minute {
		t.Errorf("released at %v, started: %+v", released, s)
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

// If the shell that starts the lab has a folder open, a function that inherits the descriptor could leave its root.
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
		t.Errorf("the open descriptors are %s", got)
	}
}

// The limits, the umask and the blocked signals of the shell that started the lab must not reach the function. So this
// test runs again in a process that has others. Go itself unblocks most signals, but not USR2.
func TestInheritedLimitsAndSignals(t *testing.T) {
	if os.Getenv("INHERIT") == "" {
		cmd := exec.CommandContext(t.Context(), "bash", "-c", `ulimit -Ss 4096; ulimit -Sn 512; exec env --block-signal=USR2 INHERIT=yes /proc/$PPID/exe -test.v -test.run "^$0$"`, t.Name())
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	spec := hostSpec(t, `ulimit -Ss; ulimit -Sn; ulimit -Sc; umask; while read -r a b; do [[ $a != SigBlk: ]] || echo $b; done </proc/self/status`)
	syscall.Umask(0o077)
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}); err != nil && os.Geteuid() == 0 {
		t.Fatal(err)
	}
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

// Nobody can execute a file that another process has open for writing. The lab must try again to start it.
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
		t.Errorf("while the file is open: %v", s.Err)
	}
	e.Tell(inside.Release)
	time.Sleep(100 * time.Millisecond)
	open.Close()
	if s := <-e.Started; s.Err != nil {
		t.Errorf("after the file was closed: %v", s.Err)
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
	e, log, all := beginWith(t, hostSpec(t, `[[ -e /tmp/again ]] && { echo again; exit 0; }; touch /tmp/again; (setsid sleep 1000 &); echo begun; sleep 1000`))
	if err := e.Ready(); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"begun\n", "again\n"} {
		if err := e.Tell(inside.Release); err != nil {
			t.Fatal(err)
		}
		if s := <-e.Started; s.Err != nil {
			t.Fatal(s.Err)
		}
		log.await(t, text)
		if err := e.Stop(); err != nil {
			t.Fatal(err)
		}
		if kib := e.MemoryHighWaterKiB(); kib != 0 {
			t.Errorf("processes of %d KiB are left", kib)
		}
	}
	if got := all(); got != "begun\nagain\n" {
		t.Errorf("got %q", got)
	}
}

// A handler may kill its own process, its group or its session. That must not end process 1.
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
		t.Errorf("process 1: %v", err)
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
	case <-time.After(time.Minute):
		t.Fatal("a minute after Kill the environment still lives")
	}
	if e.Tell(inside.Release) == nil || e.Stop() == nil {
		t.Error("Tell or Stop of an environment that is gone returned no error")
	}
}

// If the layout cannot be made, no test may run, and nothing may be left in the working folder.
func TestWithinWithoutLayout(t *testing.T) {
	t.Chdir(t.TempDir())
	failure := errors.New("no base")
	status, err := within(true, func(string) (Layout, error) { return Layout{}, failure })
	if left, _ := os.ReadDir("."); status != 1 || !errors.Is(err, failure) || len(left) > 0 {
		t.Errorf("status %d, %v; left %v", status, err, left)
	}
}
