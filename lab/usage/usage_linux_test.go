package usage_test

import (
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/usage"
	"github.com/twinstart/twinstart/tools/need"
)

// The counter must count a child and the child's children, also after they have ended.
func TestCountsTheTree(t *testing.T) {
	runtime.LockOSThread() // the counter is on this thread, and children are forked from it
	defer runtime.UnlockOSThread()
	c := usage.Watch(unix.Gettid())
	defer c.Close()
	before, err := c.Read()
	if err != nil {
		t.Fatal(err)
	}
	alive := exec.Command("sh", "-c", "echo; read x")
	stdin, err := alive.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := alive.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := alive.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := stdout.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	running, err := c.Read()
	if err != nil {
		t.Fatal(err)
	}
	if n := running.Minus(before).MinorFaults; n < 20 {
		t.Errorf("a shell that runs had %d page faults, want at least 20", n)
	}
	stdin.Close()
	alive.Wait()
	began := time.Now()
	if out, err := exec.Command("sh", "-c", "sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'; :").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	took := time.Since(began)
	after, err := c.Read()
	if err != nil {
		t.Fatal(err)
	}
	used := after.Minus(before)
	if used.MinorFaults < 50 || used.MajorFaults < 0 {
		t.Errorf("two shells used %+v", used)
	}
	need.No(t, c.NoCPU())
	if used.CPU <= 0 || used.CPU > 3*took {
		t.Errorf("two shells used %+v in %v", used, took)
	}
}
