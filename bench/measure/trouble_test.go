package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

func TestSomebodyElsesUpdateIsWaitedFor(t *testing.T) {
	s := newServer(t, "a")
	s.InProgress = 1
	s.Busy("a", 4)
	got, _ := measure(t, s, targets("a"), options(2, 0), nil)
	if len(got) != 2 || got[0].Marked != "" {
		t.Errorf("want 2 records without a mark: %+v", got)
	}
	restored(t, s)
}

func TestWhatCannotBeMeasuredIsSaidInOneLine(t *testing.T) {
	s := newServer(t, "a", "kms", "stuck", "broken")
	s.Change("kms", func(c *api.Configuration) { c.Extra = double.Unreadable() })
	s.Busy("stuck", 1<<30)
	s.Change("broken", func(c *api.Configuration) { c.LastUpdateStatus, c.LastUpdateStatusReason = "Failed", "image deleted" })
	two := append(targets("a"), targets("a")...)
	for _, c := range []struct {
		ts   []Target
		o    Options
		want string
	}{
		{targets("gone"), options(1, 0), "reading the configuration of gone: ResourceNotFoundException: Function not found: gone"},
		{targets("kms"), options(1, 0), "environment variables of kms cannot be read (AccessDeniedException): a forced cold start would erase them; allow kms:Decrypt"},
		{targets("stuck"), Options{Source: record.Lab, Cold: 1, Ready: 20 * time.Millisecond}, "stuck was not ready 20ms after its update (LastUpdateStatus InProgress, revision r3)"},
		{targets("broken"), options(1, 0), "broken could not be updated: image deleted"},
		{nil, options(1, 0), "nothing to measure: no arms"},
		{targets("a"), options(0, 0), "nothing to measure: ask for cold or warm samples"},
		{two, options(1, 0), "a/zip@128 and a/zip@128 are both function a: each arm needs its own function"},
		{targets("a"), Options{Cold: 1}, `unknown source "": use lab or aws`},
	} {
		_, err := Run(t.Context(), NewLabClient(s.URL), c.ts, c.o, nil, &memory{})
		if err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	s.Close()
	_, err := Run(t.Context(), NewLabClient(s.URL), targets("a"), options(1, 0), nil, &memory{})
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("service gone: %v", err)
	}
}

// A call whose response was cut off can be tried again, unless the user cancelled it.
func TestAStreamThatIsCutOff(t *testing.T) {
	for cause, want := range map[error]bool{errors.New("decode event: read tcp: connection reset by peer"): true, io.ErrUnexpectedEOF: true, context.Canceled: false} {
		if got := Transient(&smithy.OperationError{Err: fmt.Errorf("%w: %w", errCutOff, cause)}); got != want {
			t.Errorf("%v is transient: %v", cause, got)
		}
	}
}
