package lab_test

import (
	"testing"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/root"
)

// The lab's root must be Lambda's, entry by entry, except where the reference gives a reason.
func TestRootIsLambdas(t *testing.T) {
	t.Parallel()
	listing, err := lab.Inspect(t.Context(), lab.Options{ReadAheadKiB: lab.DefaultReadAheadKiB})
	must(t, err)
	for _, d := range root.Published().Held(listing) {
		if d.Reason == "" {
			t.Errorf("%s: Lambda has %q, the lab %q", d.Name, d.Lambda, d.Lab)
		}
	}
}
