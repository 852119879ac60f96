package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/tools/need"
)

// contract lists the bootstraps that keep docs/handler-contract.md for handlers that share a shell, with each
// isolation. The baselines in the first table promise less.
var contract = []struct {
	bootstrap
	instead map[string]func(*outcome) error // what the bootstrap does in scenarios that it cannot pass
}{
	{named("rawsyscall"), nil},
	{named("bashtcp"), bashCannot},
	{named("bashtcp-static"), bashCannot},
}

func named(name string) bootstrap {
	return bootstraps[slices.IndexFunc(bootstraps, func(b bootstrap) bool { return b.name == name })]
}

// bashCannot has the scenarios that Bash cannot pass without a fork, and how bashtcp refuses them: NUL bytes, and a
// file instead of a pipe as stdout.
var bashCannot = map[string]func(*outcome) error{
	"an event with a NUL byte": func(o *outcome) error { return first(o.failureSays("id-1", "NUL"), o.response(2, "c|c")) },
	"any byte in a response": func(o *outcome) error {
		return first(o.failureSays("id-1", "NUL"), o.response(2, ""), o.failureSays("id-3", "NUL"))
	},
	"/dev/stdout, /dev/stderr and /dev/stdin by name": func(o *outcome) error {
		return first(o.failureSays("id-1", "/dev/stdout by name"), o.failureSays("id-2", "/dev/stdout by name"))
	},
}

// isolations are the values of TWINSTART_ISOLATION.
var isolations = []string{"worker", "subshell", "process"}

// TestContract is a second table: bootstrap x isolation x base and image-minimal x scenario.
func TestContract(t *testing.T) {
	need.Time(t)
	for _, b := range contract {
		for _, isolation := range isolations {
			for _, s := range contractScenarios {
				for _, c := range b.places(isolation) {
					t.Run(c.String()+"/"+s.name, func(t *testing.T) {
						t.Parallel()
						o := c.run(t, s.on(isolation), patience)
						err := s.check(o, isolation)
						if instead := b.instead[s.name]; instead != nil {
							if err == nil {
								t.Error("now passes: take it off the list")
							}
							err = instead(o)
						}
						if err != nil {
							t.Errorf("%v\n%s", err, o)
						}
					})
				}
			}
		}
	}
}

// events returns an event for each body. The first has the id id-1.
func events(bodies ...string) []Event {
	list := make([]Event, len(bodies))
	for i, body := range bodies {
		list[i].Body = body
	}
	return list
}

// response checks the response of one invocation.
func (o *outcome) response(n int, want string) error {
	got := o.find(fmt.Sprintf("/invocation/id-%d/response", n))
	if len(got) != 1 {
		return fmt.Errorf("%d responses to event %d, want 1", len(got), n)
	}
	if string(got[0].Body) != want {
		return fmt.Errorf("response %d is %s, want %s", n, abbreviate(string(got[0].Body)), abbreviate(want))
	}
	return nil
}

// contractScenario is something that a handler may do to its shell, and the expected outcome.
type contractScenario struct {
	name    string
	handler string
	env     []string
	events  []Event
	check   func(o *outcome, isolation string) error
}

// on turns it into a scenario of the first table.
func (s contractScenario) on(isolation string) scenario {
	return scenario{files: handlerFile(s.handler), events: s.events, env: append([]string{"TWINSTART_ISOLATION=" + isolation}, s.env...)}
}

var contractScenarios = append([]contractScenario{
	{
		name:    "globals stay in a worker only",
		handler: "n=0\nrun() { n=$((n + 1)); printf %s $n; }\n",
		events:  events("", "", ""),
		check: func(o *outcome, isolation string) error {
			if isolation == "worker" {
				return o.responses("1", "2", "3")
			}
			return o.responses("1", "1", "1")
		},
	},
	{
		name:    "INIT runs once, or for each event with isolation by process",
		handler: ": >>\"$LAMBDA_TASK_ROOT/../count\"\necho started >&2\nrun() { printf ok; }\n",
		events:  events("", ""),
		check: func(o *outcome, isolation string) error {
			want := 1
			if isolation == "process" {
				want = 2
			}
			if got := strings.Count(o.stderr, "started\n"); got != want && (isolation != "process" || got != 3) {
				return fmt.Errorf("the file was sourced %d times, want %d", got, want)
			}
			return o.responses("ok", "ok")
		},
	},
	{
		name:    "what the file prints at its top goes to the log, not into the response",
		handler: "echo top\nrun() { printf ok; }\n",
		events:  events(""),
		check: func(o *outcome, _ string) error {
			return o.responses("ok")
		},
	},
	{
		name:    "exit 0 is success, and other events are not affected",
		handler: "run() { printf %s \"$1\"; [[ $1 != bye ]] || exit 0; }\n",
		events:  events("1", "bye", "3"),
		check:   func(o *outcome, _ string) error { return o.responses("1", "bye", "3") },
	},
	{
		name:    "exit with a status",
		handler: "run() { [[ $1 == ok ]] && { printf ok; return; }; echo leaving >&2; exit 7; }\n",
		events:  events("ok", "x", "ok"),
		check: func(o *outcome, _ string) error {
			return first(o.response(1, "ok"), o.failureSays("id-2", "leaving"), o.response(3, "ok"))
		},
	},
	{
		name:    "errexit that the file has set holds in the function",
		handler: "set -e\nrun() { [[ $1 != x ]] || { echo doomed >&2; false; }; printf '%s' \"$1\"; }\n",
		events:  events("1", "x", "3"),
		check: func(o *outcome, _ string) error {
			return first(o.response(1, "1"), o.failureSays("id-2", "doomed"), o.response(3, "3"))
		},
	},
	{
		name:    "unset variables under nounset",
		handler: "set -u\nrun() { [[ $1 != x ]] || echo \"$LAMBDA_RUNTIME_CLIENT_CONTEXT\"; printf %s \"$1\"; }\n",
		events:  events("1", "x", "3"),
		check: func(o *outcome, _ string) error {
			return first(o.response(1, "1"), o.failureSays("id-2", "LAMBDA_RUNTIME_CLIENT_CONTEXT"), o.response(3, "3"))
		},
	},
	{
		name:    "noclobber, noglob, posix, a strange IFS, functions named like builtins",
		handler: "set -Cf\nset -o posix\nIFS=0123456789/e\nrun() { printf '%s|' \"$IFS\" \"$1\" \"$LAMBDA_RUNTIME_AWS_REQUEST_ID\"; }\nread() { echo mine >&2; }\nmapfile() { echo mine >&2; }\n",
		events:  events("1", "2"),
		check: func(o *outcome, _ string) error {
			return o.responses("0123456789/e|1|id-1|", "0123456789/e|2|id-2|")
		},
	},
	{
		name: "redefined builtins, an alias, readonly variables, nullglob and other shell options",
		handler: "shopt -s expand_aliases nullglob failglob nocasematch extglob lastpipe\nset -o noglob -o noclobber\nreadonly line=1 id=2 status=3\n" +
			"alias echo='false'\nread() { :; }\necho() { :; }\nset() { :; }\nunset() { :; }\nexport() { :; }\nreturn() { builtin return \"$@\"; }\n" +
			"printf() { builtin printf \"$@\"; }\n[() { false; }\ntest() { false; }\nkill() { :; }\nwait() { :; }\nrun() { printf '%s %s' \"$1\" \"$line\"; }\n",
		events: events("1", "2 *", "3"),
		check:  func(o *outcome, _ string) error { return o.responses("1 1", "2 * 1", "3 1") },
	},
	{
		name:    "an EXIT trap and exit 0",
		handler: "trap 'printf \" cleaned %s\" $?' EXIT\nrun() { printf %s \"$1\"; [[ $1 != x ]] || exit 0; }\n",
		events:  events("1", "x"),
		check: func(o *outcome, isolation string) error {
			if isolation == "worker" {
				return o.responses("1", "x cleaned 0")
			}
			return nil
		},
	},
	{
		name:    "closed stdin and stdout",
		handler: "run() { exec <&-; [[ $1 != x ]] || { exec >&-; return 0; }; printf %s \"$1\"; }\n",
		events:  events("1", "x", "3", "4"),
		check: func(o *outcome, _ string) error {
			return first(o.response(1, "1"), o.response(2, ""), o.response(3, "3"), o.response(4, "4"), o.running())
		},
	},
	{
		name:    "stdout written to after it was closed",
		handler: "run() { [[ $1 != x ]] || { exec >&-; printf lost; return 0; }; printf %s \"$1\"; }\n",
		events:  events("1", "x", "3"),
		check: func(o *outcome, _ string) error {
			return first(o.response(1, "1"), o.response(2, ""), o.response(3, "3"), o.running())
		},
	},
	{
		name:    "descriptors of its own",
		handler: "exec 7<\"$LAMBDA_TASK_ROOT/handler.sh\"\nrun() { local a; exec 10<\"$LAMBDA_TASK_ROOT/handler.sh\" 11<&10; IFS= read -r a <&10; printf %s \"${a%% *}\"; exec 10<&- 11<&-; }\n",
		events:  events("1", "2", "3"),
		check:   func(o *outcome, _ string) error { return o.responses("exec", "exec", "exec") },
	},
	{
		name:    "the working directory is the task root, and stays where a worker changed it",
		handler: "run() { local was=$PWD; cd /; [[ $was == \"$LAMBDA_TASK_ROOT\" ]] && printf root || printf %s \"$was\"; }\n",
		events:  events("1", "2"),
		check: func(o *outcome, isolation string) error {
			if isolation == "worker" {
				return o.responses("root", "/")
			}
			return o.responses("root", "root")
		},
	},
	{
		name:    "a working directory that the file has changed",
		handler: "cd /proc/self\ncd /var\nrun() { printf '%s %s' \"$PWD\" \"${OLDPWD-}\"; cd /; cd /var; }\n",
		events:  events("1", "2"),
		check: func(o *outcome, isolation string) error {
			if isolation == "worker" {
				return o.responses("/var /proc/self", "/var /")
			}
			return o.responses("/var /proc/self", "/var /proc/self")
		},
	},
	{
		name:    "traps stay in a worker, and run when its shell ends",
		handler: "run() { trap 'echo trapped $? >&2' EXIT; trap : USR1; kill -USR1 $BASHPID; printf ok; [[ $1 != x ]] || exit 3; }\n",
		events:  events("1", "x", "3"),
		check: func(o *outcome, _ string) error {
			return first(o.response(1, "ok"), o.failureSays("id-2", "trapped 3"), o.response(3, "ok"))
		},
	},
	{
		name:    "a handler that kills its shell",
		handler: "run() { [[ $1 != x ]] || kill -9 $BASHPID; printf %s \"$1\"; }\n",
		events:  events("1", "x", "3"),
		check: func(o *outcome, _ string) error {
			if _, err := o.failure("id-2"); err != nil {
				return err
			}
			return first(o.response(1, "1"), o.response(3, "3"), o.running())
		},
	},
	{
		name:    "exec",
		handler: "run() { [[ $1 != x ]] || exec cat; printf %s \"$1\"; }\n",
		events:  events("1", "x", "3"),
		check: func(o *outcome, isolation string) error {
			if isolation != "worker" {
				return o.responses("1", "x", "3")
			}
			return first(o.response(1, "1"), o.failureSays("id-2", "exec"), o.response(3, "3"))
		},
	},
	{
		name: "what a background process writes later reaches no other response",
		handler: "run() {\n[[ $1 != x ]] || { (until [[ -e $LAMBDA_TASK_ROOT/go ]]; do sleep 0.02; done; echo late; : >\"$LAMBDA_TASK_ROOT/written\") & }\n" +
			"[[ $1 != wait ]] || { : >\"$LAMBDA_TASK_ROOT/go\"; " +
			"for i in {1..1000}; do [[ ! -e $LAMBDA_TASK_ROOT/written && $TWINSTART_ISOLATION-$i != process-60 ]] || break; sleep 0.01; done; }\n" +
			"printf %s \"$1\"\n}\n",
		events: events("x", "wait", "3"),
		check:  func(o *outcome, _ string) error { return o.responses("x", "wait", "3") },
	},
	{
		name: "what a background process writes to stderr later is logged",
		handler: "run() {\n[[ $1 != x ]] || { (sleep 0.4; echo later >&2; : >\"$LAMBDA_TASK_ROOT/written\") & }\n" +
			"[[ $1 != wait ]] || for i in {1..1000}; do [[ ! -e $LAMBDA_TASK_ROOT/written && $TWINSTART_ISOLATION-$i != process-60 ]] || break; sleep 0.01; done\n" +
			"printf %s \"$1\"\n}\n",
		events: events("x", "wait"),
		check: func(o *outcome, isolation string) error {
			if logged := strings.Contains(o.stderr, "later\n"); logged == (isolation == "process") {
				return fmt.Errorf("logged: %t; a process per event ends with everything that it has started", logged)
			}
			return o.responses("x", "wait")
		},
	},
	{
		name:    "context of one event is not there for the next",
		handler: "run() { bash -c 'printf %s \"${LAMBDA_RUNTIME_AWS_TENANT_ID-none} ${_X_AMZN_TRACE_ID-none} ${LAMBDA_RUNTIME_CLIENT_CONTEXT-none} $LAMBDA_RUNTIME_AWS_REQUEST_ID\"'; }\n",
		events: []Event{{}, {Header: map[string]string{"Aws-Tenant-Id": "t", "Trace-Id": "Root=1"}}, {Header: map[string]string{"Trace-Id": "Root=2"}},
			{Header: map[string]string{"Client-Context": "{}"}}, {}},
		check: func(o *outcome, _ string) error {
			return o.responses("none none none id-1", "t Root=1 none id-2", "none Root=2 none id-3", "none none {} id-4", "none none none id-5")
		},
	},
	{
		name: "deadline: the whole process group ends, and the next event is handled",
		handler: "run() { [[ $1 != x ]] || { echo waiting >&2; sleep 300 & printf '%s\\n' $! >\"$LAMBDA_TASK_ROOT/child\"; wait; }; " +
			"[[ $1 != last ]] || gone || { printf 'a child of the handler went on'; return; }; printf %s \"$1\"; }\n" +
			"gone() { local i state child; read -r child <\"$LAMBDA_TASK_ROOT/child\"; for i in {1..20}; do state=Z; " +
			"[[ ! -e /proc/$child/stat ]] || read -r _ _ state _ 2>/dev/null </proc/$child/stat; [[ $state != Z ]] || return 0; sleep 0.1; done; return 1; }\n",
		events: []Event{{Body: "1"}, {Body: "x", Deadline: 350 * time.Millisecond}, {Body: "last"}},
		check: func(o *outcome, _ string) error {
			if !strings.Contains(o.stderr, "waiting\n") {
				return fmt.Errorf("the log lacks what the handler wrote before it was killed")
			}
			return first(o.response(1, "1"), o.failureSays("id-2", "imed out"), o.response(3, "last"))
		},
	},
	{
		name:    "the library",
		handler: ". \"$TWINSTART_LIB\"\nrun() { local v ms; lambda_json_get \"$1\" a.0.b v; lambda_remaining_ms ms; ((ms > 1000)) || return; lambda_log info got v \"$v\"; lambda_json_quote \"$v\"; }\n",
		events:  events(`{"a":[{"b":"x\ny"}]}`, `{"a":[{"b":"\""}]}`),
		check: func(o *outcome, _ string) error {
			if !strings.Contains(o.stderr, `"level":"INFO","message":"got","requestId":"id-1","v":"x\ny"`) {
				return fmt.Errorf("the log lacks the line of lambda_log")
			}
			return o.responses("\"x\\ny\"\n", "\"\\\"\"\n")
		},
	},
}, slices.Concat(streamScenarios, descriptorScenarios, environmentScenarios, trapScenarios)...)
