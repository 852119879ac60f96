package need_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/tools/need"
)

// ended records how a test ended.
type ended struct {
	testing.TB
	how, why string
}

func (e *ended) Helper()          {}
func (e *ended) Skip(args ...any) { e.how, e.why = "skipped", args[0].(string); runtime.Goexit() }
func (e *ended) Fatalf(_ string, args ...any) {
	e.how, e.why = "failed", args[0].(string)
	runtime.Goexit()
}

func TestWithoutWhatIsNeeded(t *testing.T) {
	for _, c := range []struct {
		ci, how, why string
		test         func(t testing.TB)
	}{
		{"", "skipped", "twinstart-none or twinstart-nothing is not in PATH", func(t testing.TB) { need.Tool(t, "twinstart-none", "twinstart-nothing") }},
		{"true", "failed", "twinstart-none is not in PATH", func(t testing.TB) { need.Tool(t, "twinstart-none") }},
		{"true", "failed", "no loop devices", func(t testing.TB) { need.No(t, errors.New("no loop devices")) }},
		{"", "skipped", "no loop devices", func(t testing.TB) { need.No(t, errors.New("no loop devices")) }},
		{"true", "", "", func(t testing.TB) { need.No(t, nil) }},
		{"true", "", "", func(t testing.TB) {
			if need.Tool(t, "twinstart-none", "go") == "" {
				t.Skip("no path")
			}
		}},
	} {
		t.Setenv("CI", c.ci)
		e, done := &ended{TB: t}, make(chan struct{})
		go func() { defer close(done); c.test(e) }()
		<-done
		if e.how != c.how || !strings.HasPrefix(e.why, c.why) {
			t.Errorf("with CI=%q: %q, %q; want %q, %q", c.ci, e.how, e.why, c.how, c.why)
		}
	}
}
