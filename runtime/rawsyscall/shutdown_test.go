package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestTermination(t *testing.T) {
	for name, traps := range map[string]string{
		"EXIT":  "trap 'echo going; echo cleaned up >&2' EXIT\n",
		"TERM":  "trap 'echo going; echo cleaned up >&2; exit 0' TERM\n",
		"stays": "trap 'echo cleaned up >&2' TERM\n",
		"posix": "set -o posix\ntrap 'echo cleaned up >&2' EXIT\n",
	} {
		for _, concurrency := range []string{"1", "2"} {
			t.Run(name+"/"+concurrency, func(t *testing.T) {
				t.Parallel()
				e := start(t, traps+"run() { sleep 100 >&2 & printf ok; }\n", "AWS_LAMBDA_MAX_CONCURRENCY="+concurrency)
				if o := e.api.invoke(t, event{}); string(o.body) != "ok" {
					t.Errorf("got %q", o.body)
				}
				if header := <-e.api.registered; header.Get(headerName) == "" {
					t.Errorf("registered with %v", header)
				}
				if header := <-e.api.extension; header.Get(headerID) != "identifier-1" {
					t.Errorf("asked for extension events with %v", header)
				}
				for range 2 {
					e.ready(t)
				}
				if err := e.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
				if status := e.ends(t); status != 0 {
					t.Errorf("status %d, want 0", status)
				}
				want := 1
				if concurrency == "2" {
					want = 2
				}
				if got := strings.Count(e.stderr.String(), "cleaned up\n"); got != want {
					t.Errorf("the traps ran %d times, want %d", got, want)
				}
			})
		}
	}
}

// If an idle connection is dropped and replaced, the new one must be handled like the first: SIGTERM ends the
// environment, and late stderr reaches the log.
func TestTerminationOnANewConnection(t *testing.T) {
	e := start(t, "trap 'echo cleaned up >&2' EXIT\nrun() { { read -r <>\"$LAMBDA_TASK_ROOT/go\"; echo later >&2; } & }\n")
	fifo(t, e.root+"/go")
	held, err := os.OpenFile(e.root+"/go", os.O_RDWR, 0) // keep the FIFO open, or what is written before the child opens it is lost
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	e.api.invoke(t, event{})
	for range 2 {
		e.ready(t)
	}
	e.api.drop <- struct{}{}
	e.ready(t)
	writeFIFO(t, e.root+"/go")
	e.logs(t, "later\n")
	_ = e.Process.Signal(syscall.SIGTERM)
	if status := e.ends(t); status != 0 || !strings.Contains(e.stderr.String(), "cleaned up\n") {
		t.Errorf("status %d", status)
	}
}

// Without traps no extension is registered, and SIGTERM ends the program at once.
func TestTerminationWithoutTraps(t *testing.T) {
	for _, posix := range []string{"", "set -o posix\n"} {
		e := start(t, posix+"trap : USR1\nrun() { :; }\n")
		e.ready(t)
		if len(e.api.registered) != 0 {
			t.Error("an extension was registered")
		}
		_ = e.Process.Signal(syscall.SIGTERM)
		e.ends(t)
	}
}

// When a bootstrap is killed, its workers must end too, even those that are running a function.
func TestWorkersEndWithTheBootstrap(t *testing.T) {
	e := start(t, "run() { echo running >&2; sleep 100; }\n")
	e.ready(t)
	e.api.events <- &event{id: "id-1", outcome: make(chan outcome, 1)}
	e.logs(t, "running")
	_ = e.Process.Kill()
	e.ends(t)
	noneIn(t, e.Process.Pid)
}

// noneIn waits until no process has the bootstrap's /proc/<pid>/fd in its arguments, as workers have.
func noneIn(t *testing.T, bootstrap int) {
	t.Helper()
	var left string
	for range 500 {
		left = ""
		lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range lines {
			if line, err := os.ReadFile(path); err == nil && strings.Contains(string(line), "/proc/"+strconv.Itoa(bootstrap)+"/fd/") {
				left = path
			}
		}
		if left == "" {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%s is left", left)
}
