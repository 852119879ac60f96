package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twinstart/twinstart/tools/need"
)

var (
	kills = flag.Int("kills", 10_000, "invocations of TestKilledWorkers")
	soak  = flag.Int("soak", 5_000, "invocations of TestSoak (make soak: 100,000)")
)

// TestKilledWorkers kills workers from outside at random moments. Every response must belong to its own event,
// every event must have one outcome, and the bootstrap must go on.
func TestKilledWorkers(t *testing.T) {
	need.Time(t)
	e := start(t, `run() { printf '%s %s' "$LAMBDA_RUNTIME_AWS_REQUEST_ID" "$1"; }
`)
	e.ready(t)
	stop, killed := make(chan struct{}), make(chan int)
	go func() {
		random := rand.New(rand.NewPCG(1, 2))
		n := 0
		for {
			select {
			case <-stop:
				killed <- n
				return
			case <-time.After(time.Duration(random.IntN(20_000)) * time.Microsecond):
			}
			for _, pid := range childrenOf(e.Process.Pid) {
				if syscall.Kill(pid, syscall.SIGKILL) == nil {
					n++
				}
			}
		}
	}()
	failures := 0
	for i := range *kills {
		id, body := fmt.Sprint("id-", i), fmt.Sprint("body-", i)
		o := e.api.invoke(t, event{id: id, body: body})
		switch {
		case o.event != id:
			t.Fatalf("event %s had the outcome of %s", id, o.event)
		case o.verb == "response" && string(o.body) != id+" "+body:
			t.Fatalf("response to %s is %q", id, o.body)
		case o.verb == "error":
			failures++
		}
	}
	close(stop)
	n := <-killed
	t.Logf("%d invocations, %d workers killed, %d of them answered with an error", *kills, n, failures)
	if failures > n {
		t.Errorf("%d errors with %d killed workers: events of other workers failed too", failures, n)
	}
	if n == 0 {
		t.Error("no worker was killed")
	}
}

func childrenOf(pid int) (pids []int) {
	list, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, field := range strings.Fields(string(list)) {
		if child, err := strconv.Atoi(field); err == nil {
			pids = append(pids, child)
		}
	}
	return pids
}

// TestSoak checks that memory, descriptors and processes of the bootstrap and its worker do not grow.
func TestSoak(t *testing.T) {
	need.Time(t)
	e := start(t, `n=0
run() {
	case $((n++ % 50)) in
		7) (exit 0) ;;
		13) echo noise >&2 ;;
		21) echo failed >&2; return 3 ;;
		33) { sleep 0.001 & } 2>/dev/null ;;
		49) [[ $1 != *exit* ]] || exit 4 ;;
	esac
	printf '%s' "$1"
}
`)
	large := strings.Repeat("x", 200_000)
	invoke := func(i int) {
		body := fmt.Sprint(i)
		switch {
		case i%1000 == 500:
			body += "exit"
		case i%100 == 50:
			body += large
		}
		if o := e.api.invoke(t, event{id: fmt.Sprint("id-", i), body: body}); o.verb == "response" && string(o.body) != body {
			t.Fatalf("event %d: response of %d bytes, want %d", i, len(o.body), len(body))
		}
	}
	for i := range 1100 {
		invoke(i)
	}
	time.Sleep(50 * time.Millisecond)
	before := usageOf(t, e.Process.Pid)
	for i := range *soak {
		invoke(i + 1100)
	}
	time.Sleep(50 * time.Millisecond)
	after := usageOf(t, e.Process.Pid)
	t.Logf("before: %+v, after %d invocations: %+v", before, *soak, after)
	if after.descriptors != before.descriptors || after.children != before.children || after.zombies > 0 {
		t.Errorf("grew from %+v to %+v", before, after)
	}
	if after.memory > before.memory+512 || after.workerDescriptors != before.workerDescriptors || after.workerMemory > before.workerMemory+4096 {
		t.Errorf("grew from %+v to %+v", before, after)
	}
}

// usage is what a bootstrap and its worker use. memory is their resident set in KiB.
type usage struct {
	memory, descriptors, children, zombies, workerMemory, workerDescriptors int
}

func usageOf(t *testing.T, pid int) usage {
	t.Helper()
	u := usage{memory: status(t, pid, "VmRSS:"), descriptors: descriptors(t, pid)}
	for _, child := range childrenOf(pid) {
		u.children++
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child)); err == nil && strings.Contains(string(stat), ") Z ") {
			u.zombies++
			continue
		}
		u.workerMemory += status(t, child, "VmRSS:")
		u.workerDescriptors += descriptors(t, child)
	}
	return u
}

func status(t *testing.T, pid int, field string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), field)
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func descriptors(t *testing.T, pid int) int {
	t.Helper()
	list, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil || len(list) == 0 {
		t.Fatalf("no descriptors of %d: %v", pid, err)
	}
	return len(list)
}

func TestPhases(t *testing.T) {
	e := start(t, "run() { printf ok; }\n", "TWINSTART_PHASES=1")
	e.api.invoke(t, event{id: "id-7"})
	e.logs(t, `{"twinstartPhases":"init","startedAtMs":`)
	e.logs(t, `{"twinstartPhases":"event","requestId":"id-7","startedAtMs":`)
	for _, name := range []string{"exec", "main", "workerStarted", "connected", "workerReady", "nextSent", "eventRead", "handlerDone", "responseSent"} {
		if !strings.Contains(e.stderr.String(), `"`+name+`":`) {
			t.Errorf("no %s", name)
		}
	}
	quiet := start(t, "run() { printf ok; }\n")
	quiet.api.invoke(t, event{})
	if quiet.stderr.String() != "" {
		t.Errorf("got %q without being asked", quiet.stderr)
	}
}

// TestUnderTheRuntime checks that the program also works if Go's runtime is started: linked without -E, and with
// the entry for newer toolchains.
func TestUnderTheRuntime(t *testing.T) {
	need.Time(t)
	for _, flags := range [][]string{{}, {"-tags=startruntime", "-ldflags=-E=main.entry"}} {
		binary := filepath.Join(t.TempDir(), "bootstrap")
		build := exec.Command("go", append(append([]string{"build", "-o", binary}, flags...), ".")...)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		e := startBinary(t, binary, "run() { [[ $1 != x ]] || kill -9 $$; printf %s \"$1\"; }\n")
		for i, body := range []string{"1", "x", "3"} {
			o := e.api.invoke(t, event{id: fmt.Sprint("id-", i), body: body})
			if (o.verb == "error") != (body == "x") || o.verb == "response" && string(o.body) != body {
				t.Errorf("%s: %s %q", body, o.verb, o.body)
			}
		}
	}
}
