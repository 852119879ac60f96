package snapstart_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/runtime/conformance"
	"github.com/twinstart/twinstart/runtime/snapstart"
)

func TestWait(t *testing.T) {
	failing := func() error { return errors.New("no\nroom") }
	for name, test := range map[string]struct {
		kind          string
		before, after func() error
		status        int
		calls, want   string
	}{
		"without SnapStart": {kind: "on-demand", before: failing},
		"no hooks":          {kind: "snap-start", calls: "GET /restore/next"},
		"before fails":      {kind: "snap-start", before: failing, calls: "POST /init/error", want: "Runtime.BeforeSnapshotError: no"},
		"after fails":       {kind: "snap-start", after: failing, calls: "GET /restore/next, POST /restore/error", want: "Runtime.AfterRestoreError: no"},
		"no restore":        {kind: "snap-start", after: failing, status: 500, calls: "GET /restore/next", want: "answered 500"},
	} {
		t.Run(name, func(t *testing.T) {
			api, err := conformance.Listen()
			if err != nil {
				t.Fatal(err)
			}
			defer api.Close()
			api.Snapshot(conformance.Restore{Status: test.status})
			t.Setenv("AWS_LAMBDA_RUNTIME_API", api.Address())
			t.Setenv("AWS_LAMBDA_INITIALIZATION_TYPE", test.kind)
			if err := snapstart.Wait(test.before, test.after); (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			var calls []string
			for _, r := range api.Requests() {
				calls = append(calls, r.Method+" "+r.Path)
			}
			if got := strings.Join(calls, ", "); got != test.calls {
				t.Errorf("the calls are %q, want %q", got, test.calls)
			}
		})
	}
}
