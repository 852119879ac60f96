package conformance

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// snapStart is what a function finds on Lambda with SnapStart: no keys and no names of logs.
var snapStart = []string{"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start", "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:1/credentials",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN=token"}

// bothHooks notes in a file what runs, because hooks that run in their own process leave nothing else behind.
const bothHooks = `state=$LAMBDA_TASK_ROOT/state
kept=init
before_snapshot() { kept+=,before; echo a word of the hook; printf b >>"$state"; }
after_restore() { kept+=,after; printf a >>"$state"; }
run() { printf '%s|%s|%s' "$(<"$state")" "$kept" "$AWS_CONTAINER_AUTHORIZATION_TOKEN"; }
`

// snapshotScenario is a restore, and what a bootstrap does.
type snapshotScenario struct {
	scenario
	calls string // what the API must have received, in order
	// says are words that the log or the error report must have, after the type of the error
	says string
}

const oneEvent = "GET /restore/next, GET /invocation/next, POST /invocation/id-1/response, GET /invocation/next"

var snapshotScenarios = []snapshotScenario{
	{scenario: scenario{name: "no hook", files: handlerFile(echoArgument), events: events("1"), restore: &Restore{}}, calls: oneEvent},
	{scenario: scenario{name: "executable", files: map[string]string{"program": "#!/bin/bash\nprintf ok\n"}, handler: "program",
		events: events("1"), restore: &Restore{}}, calls: oneEvent},
	{scenario: scenario{name: "both hooks", files: handlerFile(bothHooks), events: events("1"), restore: &Restore{After: 50 * time.Millisecond}}, calls: oneEvent},
	{scenario: scenario{name: "answer chunked, split and closed", files: handlerFile(bothHooks), events: events("1"),
		restore: &Restore{Wire: Wire{Chunk: 1, Split: 1, Interim: true, LowerCase: true, Close: true}}}, calls: oneEvent},
	{scenario: scenario{name: "answer with a body", files: handlerFile(echoArgument), events: events("1"),
		restore: &Restore{Wire: Wire{Raw: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"}}}, calls: oneEvent},
	{scenario: scenario{name: "before fails", files: handlerFile("before_snapshot() { echo no room >&2; return 3; }\n" + echoArgument), restore: &Restore{}},
		calls: "POST /init/error", says: "Runtime.BeforeSnapshotError no room"},
	{scenario: scenario{name: "before fails by errexit", files: handlerFile("before_snapshot() { set -e; echo no room >&2; false; }\n" + echoArgument),
		restore: &Restore{}}, calls: "POST /init/error", says: "Runtime.BeforeSnapshotError no room"},
	{scenario: scenario{name: "before hangs", restore: &Restore{}, hangs: true,
		files: handlerFile("before_snapshot() { : >\"$LAMBDA_TASK_ROOT/hangs\"; sleep 60; }\n" + echoArgument)}},
	{scenario: scenario{name: "after fails", files: handlerFile("after_restore() { echo no clock >&2; return 3; }\n" + echoArgument), restore: &Restore{}},
		calls: "GET /restore/next, POST /restore/error", says: "Runtime.AfterRestoreError no clock"},
	{scenario: scenario{name: "after fails without a message", files: handlerFile("after_restore() { exit 9; }\n" + echoArgument), restore: &Restore{}},
		calls: "GET /restore/next, POST /restore/error", says: "Runtime.AfterRestoreError 9"},
	{scenario: scenario{name: "after hangs", restore: &Restore{}, hangs: true,
		files: handlerFile("after_restore() { : >\"$LAMBDA_TASK_ROOT/hangs\"; sleep 60; }\n" + echoArgument)}, calls: "GET /restore/next"},
	{scenario: scenario{name: "API without restores", files: handlerFile(echoArgument)}, calls: "GET /restore/next", says: "404"},
	{scenario: scenario{name: "answer 403", files: handlerFile(echoArgument), restore: &Restore{Status: http.StatusForbidden}},
		calls: "GET /restore/next", says: "403"},
	{scenario: scenario{name: "answer 500", files: handlerFile(echoArgument), restore: &Restore{Status: http.StatusInternalServerError}},
		calls: "GET /restore/next", says: "500"},
	{scenario: scenario{name: "answer cut", files: handlerFile(echoArgument), restore: &Restore{Wire: Wire{Raw: "HTTP/1.1 200 OK\r\nContent-Le"}}},
		calls: "GET /restore/next", says: ": "},
	{scenario: scenario{name: "trap on TERM", files: handlerFile("trap 'echo over >&2' TERM\n" + bothHooks), events: events("1"), restore: &Restore{}}, calls: oneEvent},
	{scenario: scenario{name: "a shell that ends after the restore", handler: "handler.run", restore: &Restore{}, events: events("1", "2"),
		files: handlerFile("before_snapshot() { printf b >&2; }\nafter_restore() { printf a >&2; }\nrun() { printf %s \"$1\"; exit 0; }\n")},
		calls: "GET /restore/next, GET /invocation/next, POST /invocation/id-1/response, GET /invocation/next, POST /invocation/id-2/response, GET /invocation/next"},
}

// TestSnapshot is a table like TestContract's, with SnapStart.
func TestSnapshot(t *testing.T) {
	for _, c := range columns(false) {
		for _, s := range snapshotScenarios {
			t.Run(c.String()+"/"+s.name, func(t *testing.T) {
				t.Parallel()
				s.env = append(slices.Clone(snapStart), s.env...)
				o := c.run(t, s.scenario, patience)
				if err := s.check(c, o); err != nil {
					t.Errorf("%v\n%s", err, o)
				}
			})
		}
	}
}

func (s snapshotScenario) check(c column, o *outcome) error {
	switch { // what bashcurl cannot do: see exceptions
	case c.name == "bashcurl" && s.handler == "program":
		_, err := o.initError()
		return err
	case c.name == "bashcurl" && s.name == "answer cut": // curl treats a cut head as a whole one
		s.calls, s.says = "GET /restore/next, GET /invocation/next", ""
	}
	var calls []string
	for _, r := range o.requests {
		switch { // an extension must be registered during INIT
		case !strings.HasPrefix(r.Path, "/extension/"):
			calls = append(calls, r.Method+" "+r.Path)
		case r.Path == "/extension/register" && len(calls) > 0:
			return fmt.Errorf("an extension is registered after %q", calls)
		}
	}
	if registers := c.isolation == "worker" || c.isolation == "subshell"; s.name == "trap on TERM" && registers != (len(o.find("/extension/register")) == 1) {
		return fmt.Errorf("%d extensions are registered", len(o.find("/extension/register")))
	}
	if got := strings.Join(calls, ", "); got != s.calls {
		return fmt.Errorf("the calls are %q, want %q", got, s.calls)
	}
	if o.hung != s.hangs {
		return fmt.Errorf("hung: %t, want %t", o.hung, s.hangs)
	}
	if s.says == "" {
		if s.name == "both hooks" || strings.HasPrefix(s.name, "answer chunked") {
			return first(o.responses("ba|"+kept(c)+"|token"), o.logged("a word of the hook"))
		}
		return nil
	}
	if !o.exited || o.status <= 0 {
		return fmt.Errorf("exited %t with status %d, want a non-zero status", o.exited, o.status)
	}
	kind, words, reported := strings.Cut(s.says, " ")
	if last := o.requests[len(o.requests)-1]; last.Method == http.MethodPost {
		decoded, err := last.report()
		header := last.Header.Get("Lambda-Runtime-Function-Error-Type")
		if err != nil || decoded.ErrorType != kind || header != kind || !strings.Contains(decoded.ErrorMessage, words) || !reported {
			return fmt.Errorf("the report is %+v with the type %q in its header: %s", decoded, header, fmt.Sprint(err))
		}
		return nil
	}
	return first(o.gaveUp(), o.logged(s.says))
}

// kept is what a variable of the handler's shell has seen of both hooks.
func kept(c column) string {
	if c.isolation == "worker" || c.isolation == "subshell" || c.name == "bashcurl" {
		return "init,before,after"
	}
	return "init"
}

func (o *outcome) logged(words string) error {
	if !strings.Contains(o.stderr, words) {
		return fmt.Errorf("the log does not have %q", words)
	}
	return nil
}

// TestRestoredRandomness starts two shells with the same seed, like two environments that are restored from one
// snapshot. Without SnapStart they give the same numbers.
func TestRestoredRandomness(t *testing.T) {
	s := scenario{files: handlerFile("RANDOM=42\nrun() { printf %s \"$RANDOM $RANDOM $RANDOM\"; }\n"), events: events("1"), restore: &Restore{}}
	for _, c := range columns(false) {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			numbers := func(env []string) string {
				s := s
				s.env = env
				o := c.run(t, s, patience)
				if got := o.find("/invocation/id-1/response"); len(got) == 1 {
					return string(got[0].Body)
				}
				t.Fatal(o)
				return ""
			}
			if first, second := numbers(nil), numbers(nil); c.isolation == "worker" && first != second {
				t.Error("one seed gives two series: this test shows nothing")
			}
			restored := numbers(snapStart)
			if again := numbers(snapStart); c.isolation == "worker" && restored == again {
				t.Errorf("two restores go on with %s", again)
			}
		})
	}
}
