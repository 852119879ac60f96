package conformance

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab/usage"
	"github.com/twinstart/twinstart/tools/need"
)

var kills = flag.Int("kills", 1_000, "invocations of TestKilledWorkers (make soak: more)")

// TestKilledWorkers kills the workers of bashtcp from outside at random moments, as rawsyscall's own test does with
// rawsyscall. Every response must belong to its own event. If a worker ends between events, its environment ends
// too. That environment may have been given an event that it cannot answer, and another environment continues, as
// on Lambda. If a worker ends after it has sent a response but before it has noted that, the watching shell sends
// an error, which the API refuses. Two outcomes are better than none.
func TestKilledWorkers(t *testing.T) {
	need.Time(t)
	for _, b := range contract[1:] {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			killWorkers(t, b.argv(t))
		})
	}
}

// launch starts a bootstrap with the handler run of the task root's handler.sh.
func launch(t *testing.T, argv []string, api *API, root, tmp string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "AWS_LAMBDA_RUNTIME_API=" + api.Address(), "LAMBDA_TASK_ROOT=" + root,
		"_HANDLER=handler.run", "TMPDIR=" + tmp}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func killWorkers(t *testing.T, argv []string) {
	list := make([]Event, *kills)
	for i := range list {
		list[i].ID, list[i].Body = fmt.Sprint("id-", i), fmt.Sprint("body-", i)
	}
	api, err := Listen(list...)
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	root := t.TempDir()
	write(t, filepath.Join(root, "handler.sh"), "run() { local i; for ((i = 0; i < 300; i++)); do :; done; printf '%s %s' \"$LAMBDA_RUNTIME_AWS_REQUEST_ID\" \"$1\"; }\n")
	random := rand.New(rand.NewPCG(1, 2))
	killed, environments, idle := 0, 0, false
	for end := time.Now().Add(5 * patience); !idle; {
		environments++
		cmd := launch(t, argv, api, root, t.TempDir())
		exited := make(chan struct{})
		go func() { _ = cmd.Wait(); close(exited) }()
		for runs := true; runs; {
			select {
			case <-exited:
				runs = false
			case <-api.Idle():
				usage.Kill(cmd.Process.Pid)
				<-exited
				runs, idle = false, true
			case <-time.After(time.Duration(random.IntN(40_000)) * time.Microsecond):
				children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid))
				for _, child := range strings.Fields(string(children)) {
					var pid int
					if _, err := fmt.Sscan(child, &pid); err == nil && syscall.Kill(pid, syscall.SIGKILL) == nil {
						killed++
					}
				}
			}
			if time.Now().After(end) {
				usage.Kill(cmd.Process.Pid)
				t.Fatalf("not done: %d requests, %d workers killed", len(api.Requests()), killed)
			}
		}
	}
	responses, failures, refused := 0, 0, 0
	for _, r := range api.Requests() {
		path, ofEvent := strings.CutPrefix(r.Path, "/invocation/")
		id, verb, _ := strings.Cut(path, "/")
		if !ofEvent || r.Method != "POST" { // a worker killed in INIT is an error of INIT
			continue
		}
		switch want := id + " body-" + strings.TrimPrefix(id, "id-"); {
		case r.Refused && verb == "error":
			refused++
		case verb == "error":
			failures++
		case string(r.Body) != want:
			t.Errorf("the response to %s is %q", id, r.Body)
		default:
			responses++
		}
	}
	t.Logf("%d events, %d responses, %d errors, %d more of them refused, %d workers killed, %d environments", len(list), responses, failures, refused, killed, environments)
	if lost := len(list) - responses - failures; lost > environments-1 || failures+refused > killed || killed == 0 {
		t.Errorf("%d events lost with %d environments, %d errors of %d killed workers", lost, environments, failures, killed)
	}
}
