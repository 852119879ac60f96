package conformance

import (
	"fmt"
	"strings"
)

// trapScenarios test traps on what the shell itself does (ERR, DEBUG, RETURN), which a file sets at its top level.
var trapScenarios = []contractScenario{
	{
		name:    "a trap on ERR",
		handler: "trap 'echo trapped >&2' ERR\nrun() { false; printf ok; [[ $1 != x ]]; }\n",
		events:  events("", "", "x"),
		check: func(o *outcome, _ string) error { // the trap does not run in the function, but where the function is called
			return first(o.response(1, "ok"), o.response(2, "ok"), o.failureSays("id-3", "trapped"), o.trapped(1))
		},
	},
	{
		name:    "a trap on ERR that functions inherit",
		handler: "set -E\ntrap 'echo trapped >&2' ERR\nrun() { false; printf ok; [[ $1 != x ]]; }\n",
		events:  events("", "", "x"),
		check: func(o *outcome, isolation string) error { // the trap runs in the function, where it is called, and where a subshell ends
			n := 1 + 1 + 3
			if isolation == "subshell" {
				n++
			}
			return first(o.response(1, "ok"), o.response(2, "ok"), o.failureSays("id-3", "trapped"), o.trapped(n))
		},
	},
	{
		name:    "a trap on ERR, and errexit",
		handler: "set -eE\ntrap 'echo \"trapped in ${FUNCNAME[0]}\" >&2' ERR\nrun() { printf ok; [[ $1 != x ]]; }\n",
		events:  events("", "x", ""),
		check: func(o *outcome, _ string) error {
			return first(o.response(1, "ok"), o.failureSays("id-2", "trapped in run"), o.response(3, "ok"))
		},
	},
	{
		name:    "a trap on ERR prints to the response",
		handler: "set -E\ntrap 'printf \"<%s>\" \"$?\"' ERR\nrun() { printf a; (exit 7); printf b; }\n",
		events:  events("", ""),
		check:   func(o *outcome, _ string) error { return o.responses("a<7>b", "a<7>b") },
	},
	{
		name:    "traps on DEBUG and RETURN",
		handler: "set -T\nn=0\ntrap 'n=$((n + 1))' DEBUG\ntrap 'echo trapped >&2' RETURN\nrun() { local before=$n; :; :; printf %s $((n - before)); }\n",
		events:  events("", ""),
		check:   func(o *outcome, _ string) error { return o.responses("3", "3") },
	},
}

// trapped counts the lines that a trap has logged. It stops at the bootstrap's first own line, because the error of the
// last event repeats some of them.
func (o *outcome) trapped(want int) error {
	log, _, _ := strings.Cut(o.stderr, "twinstart: ")
	if n := strings.Count(log, "trapped\n"); n != want {
		return fmt.Errorf("trapped %d times, want %d", n, want)
	}
	return nil
}
