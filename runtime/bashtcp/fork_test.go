package bashtcp_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/runtime/conformance"
	"github.com/twinstart/twinstart/tools/need"
)

// TestNoFork counts the processes that the bootstrap makes. There must be one, during INIT, for any number of events.
func TestNoFork(t *testing.T) {
	strace := need.Tool(t, "strace")
	t.Parallel()
	trace := filepath.Join(t.TempDir(), "trace")
	events := make([]conformance.Event, 20)
	for i := range events {
		events[i].Body = "event"
	}
	got := outcomes(t, "run() { printf %s \"$1\"; }\n", nil, events, strace, "-f", "-qq", "-e", "trace=clone,clone3,fork,vfork", "-o", trace)
	if len(got) != len(events) {
		t.Fatalf("%d responses, want %d", len(got), len(events))
	}
	calls, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(calls), "clone(") + strings.Count(string(calls), "clone3(") + strings.Count(string(calls), "fork("); n != 1 {
		t.Errorf("%d processes were made, want 1:\n%s", n, calls)
	}
}
