package usage_test

import (
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/usage"
)

// A child, and what it starts itself, count; so does one that has ended.
func TestCountsTheTree(t *testing.T) {
	runtime.LockOSThread() // the counter is on this thread, and children are forked from it
	defer runtime.UnlockOSThread()
	c, err := usage.Watch(unix.Gettid())
	if err != nil {
		t.Logf("no perf events here: %v", err)
		return
	}
	defer c.Close()
	before, err := c.Read()
	if err != nil {
		t.Fatal(err)
	}
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
	if used.CPU <= 0 || used.CPU > 2*took || used.MinorFaults < 50 || used.MajorFaults < 0 {
		t.Errorf("two shells used %+v in %v", used, took)
	}
}
