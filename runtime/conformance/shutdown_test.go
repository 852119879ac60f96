package conformance

import (
	"fmt"
	"strings"
	"testing"
)

const inPOSIXMode = "a trap on EXIT, in POSIX mode"

// TestShutdown ends environments as Lambda does, by SIGTERM. Some handlers have traps.
func TestShutdown(t *testing.T) {
	for _, b := range contract {
		for _, isolation := range isolations {
			for name, top := range map[string]string{
				"a trap on TERM that exits": "trap 'echo going; echo cleaned up >&2; exit 0' TERM\n",
				"a trap on TERM that stays": "trap 'echo cleaned up >&2' TERM\n",
				"a trap on EXIT":            "trap 'echo going; echo cleaned up >&2' EXIT\n",
				inPOSIXMode:                 "set -o posix\nbuiltin trap 'echo cleaned up >&2' EXIT\n",
				"a trap that does not end":  "trap 'echo cleaned up >&2; while :; do sleep 1; done' TERM\n",
				"no trap":                   "",
			} {
				for _, c := range b.places(isolation) {
					t.Run(c.String()+"/"+name, func(t *testing.T) {
						t.Parallel()
						o := c.run(t, scenario{
							files:  handlerFile(top + "run() { sleep 100 >&2 & printf ok; }\n"),
							events: events(""),
							ends:   true,
						}, patience)
						traps := top != "" && isolation != "process"
						if name == inPOSIXMode && b.instead != nil {
							traps = false // bashtcp sees traps by its function named trap, which builtin trap and POSIX mode bypass
						}
						if err := o.ended(traps); err != nil {
							t.Errorf("%v\n%s", err, o)
						}
					})
				}
			}
		}
	}
}

// ended checks the reaction to SIGTERM, with or without traps that the handler's file has set during INIT.
func (o *outcome) ended(traps bool) error {
	registered, asked := o.find("/extension/register"), o.find("/extension/event/next")
	cleaned := strings.Count(o.stderr, "cleaned up\n")
	switch {
	case o.hung || !o.exited:
		return fmt.Errorf("did not end")
	case len(o.find("/invocation/id-1/response")) != 1:
		return fmt.Errorf("no response")
	case !traps && len(registered)+len(asked) > 0:
		return fmt.Errorf("an extension was registered, with nothing to do for it")
	case !traps:
		return nil
	case len(registered) != 1 || registered[0].Header.Get("Lambda-Extension-Name") == "" || string(registered[0].Body) != `{"events":[]}`:
		return fmt.Errorf("the extension was not registered as it should be: %v", registered)
	case len(asked) != 1 || asked[0].Header.Get("Lambda-Extension-Identifier") != "identifier-1":
		return fmt.Errorf("the extension did not ask for events: %v", asked)
	case o.status != 0 || cleaned != 1:
		return fmt.Errorf("status %d, and the trap ran %d times, want 0 and 1", o.status, cleaned)
	}
	return o.leftNothing()
}

// TestConcurrency checks which bootstraps take several events at once, and that the others refuse.
func TestConcurrency(t *testing.T) {
	for _, b := range contract {
		for _, value := range []string{"1", "2", "64", "0", "-1", "x", "2 "} {
			t.Run(b.name+"/"+value, func(t *testing.T) {
				t.Parallel()
				o := scenario{files: handlerFile(echoArgument), env: []string{"AWS_LAMBDA_MAX_CONCURRENCY=" + value}, events: events("1")}.run(t, b.argv(t), patience)
				var err error
				switch {
				case value == "1" || b.name == "rawsyscall" && (value == "2" || value == "64"):
					err = o.responses("1")
				default:
					var report report
					if report, err = o.initError(); err == nil && (report.ErrorType != "Runtime.ConfigInvalid" ||
						!strings.Contains(report.ErrorMessage, "AWS_LAMBDA_MAX_CONCURRENCY") || !strings.Contains(o.stderr, "AWS_LAMBDA_MAX_CONCURRENCY")) {
						err = fmt.Errorf("%s: %s does not say why", report.ErrorType, report.ErrorMessage)
					}
				}
				if err != nil {
					t.Errorf("%v\n%s", err, o)
				}
			})
		}
	}
}
