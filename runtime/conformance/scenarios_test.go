package conformance

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Handlers of several scenarios. They use builtins if they can, so that the bootstrap is what is tested.
const (
	echoArgument = "run() { printf %s \"$1\"; }\n"
	echoStdin    = "run() { cat; }\n"
)

// handlerFile is a task root with the file handler.sh only.
func handlerFile(content string) map[string]string { return map[string]string{"handler.sh": content} }

// scenarios lists the scenarios of the table in the order of reports.
var scenarios = slices.Concat(wireScenarios, handlerScenarios, errorScenarios, hostileScenarios, replyScenarios)

// large is an event near Lambda's limit of 6 MB for a synchronous invocation. No two of its lines are the same.
var large = func() string {
	var b strings.Builder
	b.WriteString(`["`)
	for i := 0; b.Len() < 6_000_000; i++ {
		fmt.Fprintf(&b, "line %d of a large event, ", i)
	}
	b.WriteString(`"]`)
	return b.String()
}()

// echoes makes a scenario in which each response must be equal to its event. also checks more of the outcome.
func echoes(name string, events []Event, also func(*outcome) error) scenario {
	bodies := make([]string, len(events))
	for i, e := range events {
		bodies[i] = e.Body
	}
	return scenario{name: name, files: handlerFile(echoArgument), events: events, check: func(o *outcome) error {
		if err := o.responses(bodies...); err != nil || also == nil {
			return err
		}
		return also(o)
	}}
}

// wireScenarios test the conversation with the Runtime API.
var wireScenarios = []scenario{
	echoes("echo", []Event{{Body: `{"a":1}`}}, nil),
	echoes("empty event", []Event{{}, {Body: "next"}}, nil),
	echoes("5 kB chunked event", []Event{{Body: large[:5000], Wire: Wire{Chunk: 1500}}, {Body: "next"}}, nil),
	echoes("1 byte chunks", []Event{{Body: large[:300], Wire: Wire{Chunk: 1}}, {Body: "next"}}, nil),
	echoes("6 MB event", []Event{{Body: large}, {Body: "next"}}, nil),
	echoes("6 MB chunked event", []Event{{Body: large, Wire: Wire{Chunk: 65521}}, {Body: "next"}}, nil),
	echoes("events of 1 to 1,000,000 bytes", []Event{{Body: large[:1]}, {Body: large[:10]}, {Body: large[:100]}, {Body: large[:1000]},
		{Body: large[:10_000]}, {Body: large[:100_000]}, {Body: large[:1_000_000]}, {Body: large[:20_000]}, {Body: large[:1]}}, nil),
	echoes("split at every byte", []Event{{Body: "one", Wire: Wire{Split: 1}}, {Body: "two"}}, nil),
	echoes("split at odd bytes, chunked", []Event{{Body: large[:700], Wire: Wire{Split: 7, Chunk: 13}}, {Body: "two"}}, nil),
	echoes("lower-case header names", []Event{{Body: "1", Wire: Wire{LowerCase: true}},
		{Body: large[:3000], Wire: Wire{LowerCase: true, Chunk: 100}}}, nil),
	echoes("1xx responses", []Event{{Body: "1", Wire: Wire{Interim: true}, Reply: Wire{Interim: true}}, {Body: "2"}}, nil),
	echoes("chunked reply to a response", []Event{{Body: "1", Reply: Wire{Chunk: 5}}, {Body: "2"}}, nil),
	echoes("keep-alive", []Event{{Body: "1"}, {Body: "2"}, {Body: "3"}}, func(o *outcome) error {
		for _, r := range o.requests {
			if r.Conn != 1 {
				return fmt.Errorf("%s came on connection %d, want all on one", r.Path, r.Conn)
			}
		}
		return nil
	}),
	echoes("Connection: close", []Event{{Body: "1", Wire: Wire{Close: true}}, {Body: "2", Reply: Wire{Close: true}},
		{Body: "3", Wire: Wire{Close: true, Chunk: 1}}, {Body: "4"}}, nil),
	echoes("connection dropped while idle", []Event{{Body: "1", Reply: Wire{Drop: true}}, {Body: "2"}}, nil),
	{
		name:   "answers that become shorter",
		files:  handlerFile("run() { printf '%s|%s' \"$LAMBDA_RUNTIME_AWS_REQUEST_ID\" \"$1\"; }\n"),
		events: []Event{{ID: "a-request-id-that-is-rather-long", Body: "1", Qualifier: ":a-rather-long-alias"}, {ID: "b", Body: "2"}, {ID: "c"}},
		check: func(o *outcome) error {
			for id, want := range map[string]string{"b": "b|2", "c": "c|"} {
				if got := o.find("/invocation/" + id + "/response"); len(got) != 1 || string(got[0].Body) != want {
					return fmt.Errorf("%d responses to %s, want %s", len(got), id, want)
				}
			}
			return o.running()
		},
	},
	{
		name:   "connection dropped while the handler runs",
		files:  handlerFile("run() { sleep 0.1; printf %s \"$1\"; }\n"), // the connection must be dropped before the response
		events: []Event{{Body: "1", Wire: Wire{Drop: true}}, {Body: "2"}},
		check:  func(o *outcome) error { return o.responses("1", "2") },
	},
	{
		name:  "no proxy from the environment",
		files: handlerFile(echoArgument),
		env: []string{"http_proxy=http://127.0.0.1:1", "HTTP_PROXY=http://127.0.0.1:1", "all_proxy=http://127.0.0.1:1",
			"ALL_PROXY=http://127.0.0.1:1"},
		events: []Event{{Body: "1"}},
		check:  func(o *outcome) error { return o.responses("1") },
	},
	echoes("User-Agent", []Event{{Body: "1"}}, func(o *outcome) error {
		for _, r := range o.requests {
			if agent := r.Header.Get("User-Agent"); !strings.HasPrefix(agent, "twinstart/") {
				return fmt.Errorf("User-Agent of %s is %q, want twinstart/<version>-<bootstrap>", r.Path, agent)
			}
		}
		return nil
	}),
	malformed("not HTTP", "hello\r\n\r\n"),
	malformed("no status", "HTTP/1.1 \r\n\r\n"),
	malformed("event cut short", "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-1\r\nContent-Length: 10\r\n\r\n12345"),
	malformed("head cut short", "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-1\r\nContent-Le"),
	malformed("chunk cut short", "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-1\r\nTransfer-Encoding: chunked\r\n\r\na\r\n12345"),
	malformed("bad chunk size", "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
	malformed("two lengths", "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12"),
	malformed("negative length", "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-1\r\nContent-Length: -1\r\n\r\n"),
	malformed("no request id", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
	malformed("GET next answers 500", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\n{}"),
}

// malformed makes a scenario in which the answer to GET /next is not a valid invocation. The bootstrap must say so
// and exit. It must not hang or run the handler.
func malformed(name, raw string) scenario {
	return scenario{
		name:   "malformed: " + name,
		files:  handlerFile("run() { : >touched; }\n"),
		events: []Event{{Wire: Wire{Raw: raw}}},
		check: func(o *outcome) error {
			return first(o.untouched("touched"), o.gaveUp())
		},
	}
}

// handlerScenarios test what a handler is given, and what happens to its output.
var handlerScenarios = []scenario{
	{
		name:   "event on stdin",
		files:  handlerFile(echoStdin),
		events: []Event{{Body: `{"a":1}`}, {Body: "a\nb\n\n"}, {Body: large}},
		check:  func(o *outcome) error { return o.responses(`{"a":1}`, "a\nb\n\n", large) },
	},
	{
		name:   "any byte on stdin",
		files:  handlerFile(echoStdin),
		events: []Event{{Body: everyByte}, {Body: "\x00"}},
		check:  func(o *outcome) error { return o.responses(everyByte, "\x00") },
	},
	{
		name:   "event both on stdin and as argument",
		files:  handlerFile("run() { local line; IFS= read -r line; printf '%s|%s|%s' \"$#\" \"$1\" \"$line\"; }\n"),
		events: []Event{{Body: "x y\n"}},
		check:  func(o *outcome) error { return o.responses("1|x y\n|x y") },
	},
	{
		name:   "stdin is the event, not what the file reads at its top",
		files:  handlerFile("IFS= read -r stolen || :\nrun() { local line; IFS= read -r line; printf %s \"$line\"; }\n"),
		events: []Event{{Body: "event\n"}},
		check:  func(o *outcome) error { return o.responses("event") },
	},
	{
		name:   "white space at the end is kept",
		files:  handlerFile("run() { printf '%s\\n\\n \\n' \"$1\"; }\n"),
		events: []Event{{Body: "\n 1 \n\n"}},
		check:  func(o *outcome) error { return o.responses("\n 1 \n\n\n\n \n") },
	},
	{
		name:   "no output",
		files:  handlerFile("run() { :; }\n"),
		events: []Event{{Body: "1"}, {Body: "2"}},
		check:  func(o *outcome) error { return o.responses("", "") },
	},
	{
		name:   "stderr goes to the log, not into the response",
		files:  handlerFile("run() { echo noted >&2; printf ok; }\n"),
		events: []Event{{Body: "1"}},
		check: func(o *outcome) error {
			if !strings.Contains(o.stderr, "noted\n") {
				return fmt.Errorf("stderr does not hold what the handler wrote there")
			}
			return o.responses("ok")
		},
	},
	{
		name: "context in the environment",
		files: handlerFile(`run() {
	printf '%s\n' "$LAMBDA_RUNTIME_AWS_REQUEST_ID" "$LAMBDA_RUNTIME_INVOKED_FUNCTION_ARN" "$LAMBDA_RUNTIME_TRACE_ID" \
		"$_X_AMZN_TRACE_ID" "$LAMBDA_RUNTIME_CLIENT_CONTEXT" "$LAMBDA_RUNTIME_COGNITO_IDENTITY" \
		"$LAMBDA_RUNTIME_AWS_TENANT_ID" "${#LAMBDA_RUNTIME_DEADLINE_MS}" "$HOME" "$LAMBDA_TASK_ROOT"
	export -p | while read -r line; do
		case $line in *LAMBDA_RUNTIME_AWS_REQUEST_ID=*) printf exported ;; esac
	done
}
`),
		events: []Event{{Header: map[string]string{
			"Trace-Id":         "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
			"Client-Context":   `{"custom":{"a":"$(touch touched)"}}`,
			"Cognito-Identity": `{"cognitoIdentityId":"id"}`,
			"Aws-Tenant-Id":    "tenant-1",
		}}},
		check: func(o *outcome) error {
			return first(o.responses("id-1\narn:aws:lambda:eu-west-1:123456789012:function:conformance\n"+
				"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1\n"+
				"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1\n"+
				`{"custom":{"a":"$(touch touched)"}}`+"\n"+`{"cognitoIdentityId":"id"}`+"\n"+
				"tenant-1\n13\n/tmp\n"+o.inside+"\nexported"), o.untouched("touched"))
		},
	},
	{
		name:  "context of one event does not stay for the next",
		files: handlerFile("run() { printf '%s|%s' \"${LAMBDA_RUNTIME_TRACE_ID-}\" \"${_X_AMZN_TRACE_ID-}\"; }\n"),
		events: []Event{
			{Header: map[string]string{"Trace-Id": "Root=1"}},
			{},
		},
		check: func(o *outcome) error { return o.responses("Root=1|Root=1", "|") },
	},
	{
		name:    "handler from the first argument",
		files:   handlerFile(echoArgument),
		arg:     "handler.run",
		events:  []Event{{Body: "1"}},
		check:   func(o *outcome) error { return o.responses("1") },
		handler: "",
	},
	{
		name:    "handler in a folder",
		files:   map[string]string{"src/my-handler.v2.sh": echoArgument},
		handler: "src/my-handler.v2.run",
		events:  []Event{{Body: "1"}},
		check:   func(o *outcome) error { return o.responses("1") },
	},
	{
		name:    "executable handler",
		files:   map[string]string{"program": "#!/bin/bash\ncat\nprintf '|%s|%s|%s' \"$LAMBDA_RUNTIME_AWS_REQUEST_ID\" \"$HOME\" \"$LD_LIBRARY_PATH\"\n"},
		handler: "program",
		env:     []string{"LD_LIBRARY_PATH=/lib64:/usr/lib64:/opt/lib"},
		events:  []Event{{Body: "event"}, {Body: everyByte}},
		check: func(o *outcome) error {
			return o.responses("event|id-1|/tmp|/lib64:/usr/lib64:/opt/lib", everyByte+"|id-2|/tmp|/lib64:/usr/lib64:/opt/lib")
		},
	},
	{
		name:   "a background process does not hold up the response",
		files:  handlerFile("run() { sleep 300 >&2 & printf ok; }\n"),
		events: []Event{{Body: "1"}, {Body: "2"}},
		check:  func(o *outcome) error { return o.responses("ok", "ok") },
	},
}

// everyByte is an event with each byte value, forwards and backwards.
var everyByte = func() string {
	b := make([]byte, 0, 512)
	for i := range 256 {
		b = append(b, byte(i))
	}
	for i := range 256 {
		b = append(b, byte(255-i))
	}
	return string(b)
}()

// pastDeadlineScenario has an event whose deadline is over when it arrives.
var pastDeadlineScenario = scenario{
	name:   "deadline that has passed",
	files:  handlerFile("run() { [[ $1 == next ]] && { printf ok; return; }; : >\"$LAMBDA_TASK_ROOT/hangs\"; sleep 300; printf late; }\n"),
	events: []Event{{Body: "slow", Deadline: -time.Second}, {Body: "next"}},
	check:  deadlineScenario.check,
}

// deadlineScenario has a handler that would run for minutes, with a child that must end too.
var deadlineScenario = scenario{
	name:  "deadline",
	files: handlerFile("run() { [[ $1 == next ]] && { printf ok; return; }; : >\"$LAMBDA_TASK_ROOT/hangs\"; sleep 300; printf late; }\n"),
	events: []Event{
		{Body: "slow", Deadline: 700 * time.Millisecond},
		{Body: "next"},
	},
	check: func(o *outcome) error {
		if err := o.failureSays("id-1", "imed out"); err != nil {
			return err
		}
		if got := o.find("/invocation/id-2/response"); len(got) != 1 || string(got[0].Body) != "ok" {
			return fmt.Errorf("the event after the time-out was not handled")
		}
		return nil
	},
}
