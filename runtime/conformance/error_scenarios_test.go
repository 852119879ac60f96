package conformance

import (
	"fmt"
	"net/http"
	"strings"
)

// errorScenarios test handlers that fail and handlers that do not exist.
var errorScenarios = []scenario{
	{
		name:   "error exit",
		files:  handlerFile("run() { [[ $1 == ok ]] && { printf fine; return; }; printf partial; echo it broke >&2; return 3; }\n"),
		events: []Event{{Body: "bad"}, {Body: "ok"}},
		check: func(o *outcome) error {
			if got := o.find("/invocation/id-2/response"); len(got) != 1 || string(got[0].Body) != "fine" {
				return fmt.Errorf("the event after the error was not handled")
			}
			return o.failureSays("id-1", "it broke")
		},
	},
	{
		name:   "error type in a header",
		files:  handlerFile("run() { return 3; }\n"),
		events: []Event{{Body: "1"}},
		check: func(o *outcome) error {
			decoded, err := o.failure("id-1")
			if err != nil {
				return err
			}
			header := o.find("/invocation/id-1/error")[0].Header.Get("Lambda-Runtime-Function-Error-Type")
			if header == "" || header != decoded.ErrorType {
				return fmt.Errorf("Lambda-Runtime-Function-Error-Type is %q, errorType is %q", header, decoded.ErrorType)
			}
			return o.running()
		},
	},
	{
		name:   "error exit without a message",
		files:  handlerFile("run() { return 3; }\n"),
		events: []Event{{Body: "1"}},
		check:  func(o *outcome) error { return o.failureSays("id-1", "3") },
	},
	{
		name:   "error exit by exit and by errexit",
		files:  handlerFile("run() { echo \"leaving $1\" >&2; [[ $1 == 1 ]] && exit 4; set -e; false; printf no; }\n"),
		events: []Event{{Body: "1"}, {Body: "2"}},
		check: func(o *outcome) error {
			return first(o.failureSays("id-1", "leaving 1"), o.failureSays("id-2", "leaving 2"))
		},
	},
	{
		name:   "stderr with quotes, control characters and bytes that are not UTF-8",
		files:  handlerFile("run() { printf 'say \"no\" \\\\ tab\\there\\001\\033[1m \\377\\300\\200 \\303\\251 end\\n' >&2; return 1; }\n"),
		events: []Event{{Body: "1"}},
		check: func(o *outcome) error {
			return o.failureSays("id-1", "say \"no\" \\ tab\there\x01\x1b[1m", "\ufffd", " \u00e9 end")
		},
	},
	{
		name:   "stderr that ends in the middle of a character",
		files:  handlerFile("run() { printf 'caf\\303' >&2; return 1; }\n"),
		events: []Event{{Body: "1"}},
		check:  func(o *outcome) error { return o.failureSays("id-1", "caf\ufffd") },
	},
	{
		name:   "stderr of one long line, cut anywhere",
		files:  handlerFile("run() { local i line=; for ((i = 0; i < 3001; i++)); do line+=$'\\303\\251'; done; printf '%sx' \"$line\" >&2; return 1; }\n"),
		events: []Event{{Body: "1"}},
		check:  func(o *outcome) error { return o.failureSays("id-1", "\u00e9\u00e9\u00e9x") },
	},
	{
		name:   "stderr longer than its tail",
		files:  handlerFile("run() { local i; for ((i = 0; i < 20000; i++)); do echo \"line $i\"; done >&2; echo \"the end\" >&2; return 1; }\n"),
		events: []Event{{Body: "1"}},
		check: func(o *outcome) error {
			decoded, err := o.failure("id-1")
			switch {
			case err != nil:
				return err
			case !strings.HasSuffix(strings.TrimSpace(decoded.ErrorMessage), "line 19999\nthe end"):
				return fmt.Errorf("errorMessage does not end as stderr did: %s", abbreviate(decoded.ErrorMessage))
			case len(decoded.ErrorMessage) > 16<<10:
				return fmt.Errorf("errorMessage is %d bytes, want a tail", len(decoded.ErrorMessage))
			case !strings.Contains(o.stderr, "line 0\n"):
				return fmt.Errorf("the log lacks the start of stderr")
			}
			return o.running()
		},
	},
	deadlineScenario,
	pastDeadlineScenario,
	{
		name:  "missing handler file",
		files: map[string]string{"other.sh": echoArgument},
		check: func(o *outcome) error {
			decoded, err := o.initError()
			if err == nil && !strings.Contains(decoded.ErrorMessage, "handler") {
				err = fmt.Errorf("errorMessage %q does not name the handler", decoded.ErrorMessage)
			}
			return err
		},
	},
	{
		name:    "missing executable",
		files:   map[string]string{"program.sh": echoArgument},
		handler: "program",
		check:   func(o *outcome) error { _, err := o.initError(); return err },
	},
	{
		name:    "handler that is not executable",
		files:   map[string]string{"program": "just text"},
		handler: "program",
		check:   func(o *outcome) error { _, err := o.initError(); return err },
	},
	{
		name:    "handler that is a folder",
		files:   map[string]string{"program/file": "", "handler.sh/file": ""},
		handler: "handler.run",
		check:   func(o *outcome) error { _, err := o.initError(); return err },
	},
	{
		name:    "executable that cannot start",
		files:   map[string]string{"program": "#!/no/such/interpreter\n"},
		handler: "program",
		events:  []Event{{Body: "1"}},
		check:   func(o *outcome) error { _, err := o.failure("id-1"); return err },
	},
	{
		name:   "missing function",
		files:  handlerFile("walk() { printf wrong; }\n"),
		events: []Event{{Body: "1"}},
		check:  func(o *outcome) error { return o.refused("run") },
	},
	{
		name:    "missing function that is a command",
		files:   handlerFile("walk() { printf wrong; }\n"),
		handler: "handler.touch",
		events:  []Event{{Body: "touched"}},
		check:   func(o *outcome) error { return first(o.untouched("touched"), o.refused("touch")) },
	},
	{
		name:   "file that fails at its top",
		files:  handlerFile("echo cannot start >&2\nexit 5\nrun() { printf wrong; }\n"),
		events: []Event{{Body: "1"}},
		check:  func(o *outcome) error { return o.refused("cannot start") },
	},
	{
		name:   "file with a syntax error",
		files:  handlerFile("run() { printf wrong; }\nif then\n"),
		events: []Event{{Body: "1"}},
		check:  func(o *outcome) error { return o.refused("syntax error") },
	},
}

// refused checks that an unusable handler was reported: during INIT by a bootstrap that sources the file then, else
// as the error of the first invocation, because a process per event can only report it there.
func (o *outcome) refused(part string) error {
	if len(o.find("/init/error")) == 0 {
		return o.failureSays("id-1", part)
	}
	decoded, err := o.initError()
	if err == nil && !strings.Contains(decoded.ErrorMessage, part) {
		err = fmt.Errorf("errorMessage %q does not hold %q", decoded.ErrorMessage, part)
	}
	return err
}

// hostileScenarios have input that a careless bootstrap would run as code.
var hostileScenarios = func() []scenario {
	marks := "$(touch touched) `touch touched` ; touch touched\n& touch touched | \"touch touched\" 'touch touched' " +
		"${x[$(touch touched)]} $((x[$(touch touched)])) \\$(touch touched) >touched <(touch touched) %s %n \\x41 * ? ~ ! { }"
	list := []scenario{
		{
			name:  "hostile event",
			files: handlerFile(echoArgument),
			events: []Event{{Body: marks}, {Body: "'" + marks}, {Body: `"` + marks}, {Body: "-n"}, {Body: "-e \\n"}, {Body: "--help"},
				{Body: "\xff\xfe\x80 \u00e9"}},
			check: func(o *outcome) error {
				return first(o.responses(marks, "'"+marks, `"`+marks, "-n", "-e \\n", "--help", "\xff\xfe\x80 \u00e9"), o.untouched("touched"))
			},
		},
		{
			name:   "hostile context",
			files:  handlerFile("run() { printf %s \"$LAMBDA_RUNTIME_TRACE_ID\"; }\n"),
			events: []Event{{Header: map[string]string{"Trace-Id": "$(touch touched);`touch touched`;'\"\\"}}},
			check: func(o *outcome) error {
				return first(o.responses("$(touch touched);`touch touched`;'\"\\"), o.untouched("touched"))
			},
		},
	}
	for _, name := range []string{
		"$(touch touched).run", "`touch touched`.run", "handler.$(touch touched)", "handler.run;touch touched", "handler.run touched",
		"handler.run[$(touch touched)]", "handler.run\ntouch touched", "touch touched", "'", "handler.", ".run", ".", "..", "-.run",
		"../evil.run", "src/../../evil.run", "../evil", "/bin/touch", "/etc/profile.run", "handler.1run", "a//b.run", "src/",
	} {
		list = append(list, scenario{
			name: fmt.Sprintf("hostile handler name %q", name),
			files: map[string]string{
				"handler.sh":   ": >\"$LAMBDA_TASK_ROOT/touched\"\nrun() { :; }\n",
				"../evil.sh":   ": >\"$LAMBDA_TASK_ROOT/touched\"\nrun() { :; }\n",
				"../evil":      "#!/bin/sh\n: >\"$LAMBDA_TASK_ROOT/touched\"\n",
				"-.sh":         "run() { :; }\n",
				"touch":        "#!/bin/sh\n: >\"$LAMBDA_TASK_ROOT/touched\"\n",
				"src/b.sh":     "run() { :; }\n",
				"src/touch.sh": "run() { :; }\n",
			},
			handler: name,
			events:  []Event{{Body: "touched"}},
			check: func(o *outcome) error {
				_, err := o.initError()
				return first(o.untouched("touched"), err)
			},
		})
	}
	return list
}()

// postError makes a scenario in which POST /error is refused. The bootstrap must go on.
func postError(status int) scenario {
	return scenario{
		name:   fmt.Sprintf("POST error answers %d", status),
		files:  handlerFile("run() { [[ $1 == ok ]] || return 3; printf ok; }\n"),
		events: []Event{{Body: "1", ErrorStatus: status}, {Body: "ok"}},
		check: func(o *outcome) error {
			if !strings.Contains(o.stderr, fmt.Sprint(status)) {
				return fmt.Errorf("the log does not have the status")
			}
			return o.response(2, "ok")
		},
	}
}

// replyScenarios test answers to POST /response.
var replyScenarios = []scenario{
	{
		name:   "POST response answers 400, then 403",
		files:  handlerFile(echoArgument),
		events: []Event{{Body: "1", ReplyStatus: http.StatusBadRequest}, {Body: "2", ReplyStatus: http.StatusForbidden}, {Body: "3"}},
		check: func(o *outcome) error {
			if !strings.Contains(o.stderr, "400") || !strings.Contains(o.stderr, "403") {
				return fmt.Errorf("the log does not have the status")
			}
			return o.responses("1", "2", "3")
		},
	},
	{
		name:   "POST response answers 410",
		files:  handlerFile(echoArgument),
		events: []Event{{Body: "1", ReplyStatus: http.StatusGone}, {Body: "2"}},
		check: func(o *outcome) error {
			if !strings.Contains(o.stderr, "410") {
				return fmt.Errorf("the log does not have the status")
			}
			return o.responses("1", "2")
		},
	},
	postError(http.StatusBadRequest), postError(http.StatusForbidden), postError(http.StatusGone), postError(http.StatusRequestEntityTooLarge),
	{
		name:   "POST error answers 500",
		files:  handlerFile("run() { return 3; }\n"),
		events: []Event{{Body: "1", ErrorStatus: http.StatusInternalServerError}, {Body: "2"}},
		check: func(o *outcome) error {
			o.stderr = o.stderr[strings.LastIndexByte(strings.TrimSuffix(o.stderr, "\n"), '\n')+1:] // the event's error comes first
			if n := len(o.find("/invocation/next")); n != 1 {
				return fmt.Errorf("%d requests for an event, want none after the 500", n)
			}
			return o.gaveUp()
		},
	},
	{
		name:  "Invocation-Id goes back with the outcome",
		files: handlerFile("run() { [[ $1 != bad ]] || return 3; printf %s \"$1\"; [[ $1 != bye ]] || exit 4; }\n"),
		events: []Event{{Body: "1", Nonce: "nonce-1"}, {Body: "bad", Nonce: "a b;c=\"$(touch touched)\" *"}, {Body: "none"},
			{Body: "bye", Nonce: "nonce-4"}, {Body: large[:5000], Nonce: "nonce-5"}, {Body: "6", Nonce: "nonce-6", Wire: Wire{LowerCase: true}}},
		check: func(o *outcome) error {
			for i, want := range []string{"nonce-1", "a b;c=\"$(touch touched)\" *", "", "nonce-4", "nonce-5", "nonce-6"} {
				id := fmt.Sprintf("/invocation/id-%d/", i+1)
				got := append(o.find(id+"response"), o.find(id+"error")...)
				if len(got) != 1 || got[0].Header.Get("Lambda-Runtime-Invocation-Id") != want || len(got[0].Header.Values("Lambda-Runtime-Invocation-Id")) > 1 {
					return fmt.Errorf("event %d has %d outcomes, the first with Invocation-Id %q, want %q", i+1, len(got), got[0].Header.Get("Lambda-Runtime-Invocation-Id"), want)
				}
			}
			return first(o.untouched("touched"), o.running())
		},
	},
	{
		name:   "POST response answers 413",
		files:  handlerFile(echoArgument),
		events: []Event{{Body: "1", ReplyStatus: http.StatusRequestEntityTooLarge}, {Body: "2"}},
		check: func(o *outcome) error {
			got := o.find("/invocation/id-1/error")
			if len(got) != 1 {
				return fmt.Errorf("%d error reports, want 1", len(got))
			}
			decoded, err := got[0].report()
			if err != nil {
				return err
			}
			if header := got[0].Header.Get("Lambda-Runtime-Function-Error-Type"); header != "Function.ResponseSizeTooLarge" || decoded.ErrorType != header {
				return fmt.Errorf("Lambda-Runtime-Function-Error-Type is %q, errorType is %q", header, decoded.ErrorType)
			}
			return o.running()
		},
	},
	{
		name:   "POST response answers 500",
		files:  handlerFile(echoArgument),
		events: []Event{{Body: "1", ReplyStatus: http.StatusInternalServerError}, {Body: "2"}},
		check: func(o *outcome) error {
			if n := len(o.find("/invocation/next")); n != 1 {
				return fmt.Errorf("%d requests for an event, want none after the 500", n)
			}
			return o.gaveUp()
		},
	},
}
