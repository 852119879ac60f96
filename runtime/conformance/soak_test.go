package conformance

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab/usage"
	"github.com/twinstart/twinstart/tools/need"
)

var soak = flag.Int("soak", 200, "invocations of TestSoak (make soak: 100,000)")

// soakHandler forks, fails, writes to its log, leaves children behind and, if the event says so, ends its shell.
const soakHandler = `n=0
run() {
	case $((n++ % 50)) in
		7) (exit 0) ;;
		13) echo noise >&2 ;;
		21) echo failed >&2; return 3 ;;
		33) { sleep 0.001 & } 2>/dev/null ;;
		40) [[ $1 != *exit* ]] || exit 4 ;;
	esac
	printf %s "$1"
}
`

// TestSoak checks that memory, descriptors, processes and files do not grow. rawsyscall has its own test, which is
// faster.
func TestSoak(t *testing.T) {
	need.Time(t)
	for name, growthKiB := range map[string]int{"bashtcp": 2 << 10, "bashtcp-static": 2 << 10,
		"nethttp": 8 << 10, "rawtcp": 8 << 10} { // a garbage-collected heap grows for a while
		i := slices.IndexFunc(bootstraps, func(b bootstrap) bool { return b.name == name })
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			soakOne(t, bootstraps[i].argv(t), growthKiB)
		})
	}
}

func soakOne(t *testing.T, argv []string, growthKiB int) {
	const warm = 600 // bashtcp empties a file after 500 events
	measured := make(chan struct{})
	large := strings.Repeat("x", 20_000)
	list := make([]Event, warm+*soak)
	for i := range list {
		list[i].ID, list[i].Body = fmt.Sprint("id-", i), fmt.Sprint("body-", i)
		switch {
		case i%200 == 40:
			list[i].Body += "exit"
		case i%100 == 50:
			list[i].Body += large
		}
	}
	list[warm].After = func() { <-measured }
	api, err := Listen(list...)
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	root, tmp := t.TempDir(), t.TempDir()
	write(t, filepath.Join(root, "handler.sh"), soakHandler)
	cmd := launch(t, alone(t, argv), api, root, tmp)
	defer func() {
		usage.Kill(cmd.Process.Pid)
		_ = cmd.Wait()
	}()
	others, _ := filepath.Glob("/tmp/*")

	outcomes := 0
	until := func(n int) {
		for end := time.Now().Add(30 * patience); outcomes < n; time.Sleep(10 * time.Millisecond) {
			for _, r := range api.Take() {
				id, verb, ok := strings.Cut(strings.TrimPrefix(r.Path, "/invocation/id-"), "/")
				if !ok || r.Method != "POST" {
					continue
				}
				i, _ := strconv.Atoi(id)
				if outcomes++; verb == "response" && string(r.Body) != list[i].Body {
					t.Errorf("the response to event %d is %s", i, abbreviate(string(r.Body)))
				}
			}
			if time.Now().After(end) {
				t.Fatalf("%d of %d events", outcomes, n)
			}
		}
		time.Sleep(100 * time.Millisecond) // for the processes of the last event to end
	}
	until(warm)
	before := footprintOf(cmd.Process.Pid, tmp)
	close(measured)
	until(len(list))
	after := footprintOf(cmd.Process.Pid, tmp)
	t.Logf("after %d invocations: %+v, after %d more: %+v", warm, before, *soak, after)
	const files = 520 // bashtcp makes 2 files for each of up to 256 outputs that children hold, and a few more
	if after.memoryKiB > before.memoryKiB+growthKiB || after.processes != before.processes || after.zombies > before.zombies ||
		after.descriptors > before.descriptors || after.files > files {
		t.Errorf("grew from %+v to %+v", before, after)
	}
	if now, _ := filepath.Glob("/tmp/*"); len(now) > len(others)+100 { // other processes use /tmp too
		t.Errorf("%d files in /tmp, of %d before", len(now), len(others))
	}
}

// alone runs a bootstrap in its own PID namespace, as on Lambda, if that is allowed. bashtcp checks whether
// processes were made since the last event, and looks at every process there is. A Bash is the namespace's init.
func alone(t *testing.T, argv []string) []string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Log("not root: other processes make bashtcp slow here")
		return argv
	}
	return append([]string{"unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "/bin/bash", "-c", `"$@" & wait "$!"`, "init"}, argv...)
}

// footprint is what a bootstrap and all its processes use.
type footprint struct{ memoryKiB, descriptors, processes, zombies, files int }

func footprintOf(pid int, tmp string) footprint {
	u := footprint{processes: 1}
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		switch fields := strings.Fields(line); {
		case strings.HasPrefix(line, "VmRSS:"):
			u.memoryKiB, _ = strconv.Atoi(fields[1])
		case strings.HasPrefix(line, "State:\tZ"):
			u.zombies = 1
		}
	}
	open, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	files, _ := os.ReadDir(tmp)
	u.descriptors, u.files = len(open), len(files)
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		children, _ := os.ReadFile(task)
		for _, child := range strings.Fields(string(children)) {
			n, _ := strconv.Atoi(child)
			of := footprintOf(n, tmp)
			u.memoryKiB, u.descriptors, u.processes, u.zombies = u.memoryKiB+of.memoryKiB, u.descriptors+of.descriptors, u.processes+of.processes, u.zombies+of.zombies
		}
	}
	return u
}

// Take returns the requests so far and forgets them.
func (a *API) Take() []Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	requests := a.requests
	a.requests = nil
	return requests
}
