package conformance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab/usage"
)

// departures are moments at which a Runtime API can end for good. After that its port refuses connections.
var departures = []struct {
	name  string
	event Event
}{
	{"before GET next is answered", Event{Wire: Wire{Leave: -1}}},
	{"in the status line", Event{Wire: Wire{Leave: 7}}},
	{"in the head", Event{Wire: Wire{Leave: 100}}},
	{"at the end of the head", Event{Wire: Wire{Leave: 247}}},
	{"in the body", Event{Body: large[:5000], Wire: Wire{Leave: 3000}}},
	{"in a chunk", Event{Body: large[:5000], Wire: Wire{Leave: 3000, Chunk: 2000}}},
	{"while the handler runs", Event{Wire: Wire{Leave: 1 << 30}}},
	{"before POST response is answered", Event{Reply: Wire{Leave: -1}}},
	{"in the answer to POST response", Event{Reply: Wire{Leave: 7}}},
	{"after the answer to POST response", Event{Reply: Wire{Leave: 1 << 30}}},
}

// TestDeparture ends the Runtime API at each of these moments. Each bootstrap must exit with a reason, leave no
// process behind, and not have used CPU while it waited.
func TestDeparture(t *testing.T) {
	for _, b := range bootstraps {
		for _, d := range departures {
			for _, c := range b.places("") {
				t.Run(c.String()+"/"+d.name, func(t *testing.T) {
					t.Parallel()
					o := c.run(t, scenario{
						files:  handlerFile("run() { sleep 0.1; echo ran >&2; }\n"),
						events: []Event{d.event, {Body: "never"}},
					}, patience)
					o.stderr = strings.Replace(o.stderr, "ran\n", "", 1)
					if b.name == "bashcurl" { // curl has written a line too
						o.stderr = o.stderr[strings.LastIndexByte(strings.TrimSuffix(o.stderr, "\n"), '\n')+1:]
					}
					if err := first(o.gaveUp(), o.leftNothing()); err != nil {
						t.Errorf("%v\n%s", err, o)
					}
				})
			}
		}
	}
}

// busy is more CPU time than a bootstrap needs for a few events, even under qemu-user, and less than a busy loop
// uses. It does not measure speed.
const busy = 5 * time.Second

// leftNothing checks that no process is left and that none was busy.
func (o *outcome) leftNothing() error {
	if o.cpu > busy {
		return fmt.Errorf("took %s of CPU time", o.cpu)
	}
	var left []int
	for range 300 {
		if left = processesOf(o.inside); len(left) == 0 {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	var lines strings.Builder
	for _, pid := range left {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		fmt.Fprintf(&lines, " %d %q", pid, line)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return fmt.Errorf("processes are left:%s", &lines)
}

// TestNobodyReadsTheLog closes the log of bootstraps whose handlers write to it, and later the API. The bootstraps
// may end or go on, but must not spin.
func TestNobodyReadsTheLog(t *testing.T) {
	for _, b := range contract {
		for _, isolation := range isolations {
			t.Run(b.name+"/"+isolation, func(t *testing.T) {
				t.Parallel()
				api, err := Listen(Event{Body: "1"}, Event{Body: "2"})
				if err != nil {
					t.Fatal(err)
				}
				defer api.Close()
				root := t.TempDir()
				write(t, filepath.Join(root, "handler.sh"), "run() { echo \"event $1\" >&2; printf %s \"$1\"; }\n")
				unread, log, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				unread.Close()
				argv := b.argv(t)
				cmd := exec.Command(argv[0], argv[1:]...)
				cmd.Stderr = log
				cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
				cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "AWS_LAMBDA_RUNTIME_API=" + api.Address(), "LAMBDA_TASK_ROOT=" + root,
					"_HANDLER=handler.run", "TMPDIR=" + t.TempDir(), "TWINSTART_ISOLATION=" + isolation}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				log.Close()
				exited := make(chan struct{})
				go func() { _ = cmd.Wait(); close(exited) }()
				select {
				case <-exited:
				case <-api.Idle():
				case <-time.After(patience):
					t.Error("neither ended nor went on")
				}
				api.Close()
				select {
				case <-exited:
				case <-time.After(patience):
					t.Error("goes on without an API")
					usage.Kill(cmd.Process.Pid)
					<-exited
				}
				o := &outcome{inside: root, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
				if err := o.leftNothing(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestPackageIsGone removes the package of bashtcp while it runs, and later ends the Runtime API. bashtcp must exit
// and must not start workers forever.
func TestPackageIsGone(t *testing.T) {
	for _, b := range contract[1:] {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			argv := b.argv(t)
			folder := filepath.Join(t.TempDir(), "task")
			if output, err := exec.CommandContext(t.Context(), "cp", "-R", filepath.Dir(argv[0]), folder).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			for i := range argv {
				argv[i] = filepath.Join(folder, filepath.Base(argv[i]))
			}
			api, err := Listen(events("1")...)
			if err != nil {
				t.Fatal(err)
			}
			defer api.Close()
			write(t, filepath.Join(folder, "handler.sh"), echoArgument)
			cmd := launch(t, argv, api, folder, t.TempDir())
			exited := make(chan struct{})
			go func() { _ = cmd.Wait(); close(exited) }()
			select {
			case <-api.Idle():
			case <-time.After(patience):
				t.Error("does not answer")
			}
			if err := os.RemoveAll(folder); err != nil {
				t.Error(err)
			}
			api.Close()
			select {
			case <-exited:
			case <-time.After(patience):
				t.Error("goes on")
				usage.Kill(cmd.Process.Pid)
				<-exited
			}
			o := &outcome{inside: folder, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
			if err := o.leftNothing(); err != nil {
				t.Error(err)
			}
		})
	}
}

// processesOf lists the processes that an execution environment left behind: those whose environment has this
// LAMBDA_TASK_ROOT.
func processesOf(root string) (pids []int) {
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environments {
		environment, _ := os.ReadFile(path)
		if pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path))); bytes.Contains(environment, []byte("LAMBDA_TASK_ROOT="+root+"\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}
