package conformance

import (
	"fmt"
	"strings"
)

// exceptionKey names one cell of the table.
type exceptionKey struct{ bootstrap, scenario string }

// exception is what a bootstrap does in a scenario that it does not pass, and the reason.
type exception struct {
	why   string
	check func(*outcome) error
	hangs bool // the bootstrap hangs for longer than a test should wait
}

// exceptions are the cells that do not pass. If one starts to pass, the test fails, so that this list stays true.
var exceptions = map[exceptionKey]exception{
	{"bashcurl", "keep-alive"}: {
		why: "curl is a process for each request, with a connection of its own",
		check: func(o *outcome) error {
			for i, r := range o.requests {
				if r.Conn != i+1 {
					return fmt.Errorf("request %d came on connection %d", i+1, r.Conn)
				}
			}
			return o.responses("1", "2", "3")
		},
	},
	{"bashcurl", "deadline"}: {
		why:   "a shell that waits for its handler does not watch the deadline",
		check: onlyAskedFor,
		hangs: true,
	},
	{"bashcurl", "deadline that has passed"}: {
		why:   "a shell that waits for its handler does not watch the deadline",
		check: onlyAskedFor,
		hangs: true,
	},
	{"bashcurl", "executable handler"}:           {why: noExecutables, check: refusedName},
	{"bashcurl", "executable that cannot start"}: {why: noExecutables, check: refusedName},
	{"bashcurl", "file with a syntax error"}: {
		why:   "stderr of the handler's top level goes to the log alone",
		check: func(o *outcome) error { _, err := o.initError(); return err },
	},
	{"bashcurl", "file that fails at its top"}: {
		why: "a file that calls exit ends the shell that sources it, before anything is reported",
		check: func(o *outcome) error {
			if len(o.requests) != 0 || !o.exited || o.status <= 0 {
				return fmt.Errorf("the bootstrap did something else")
			}
			return nil
		},
	},
	{"bashcurl", "stderr with quotes, control characters and bytes that are not UTF-8"}: {
		why: questionMarks,
		check: func(o *outcome) error {
			return o.failureSays("id-1", "say \"no\" \\ tab here??[1m \ufffd\ufffd\ufffd \u00e9 end")
		},
	},
	{"bashcurl", "stderr longer than its tail"}: {
		why: "line ends become spaces",
		check: func(o *outcome) error {
			decoded, err := o.failure("id-1")
			if err == nil && (len(decoded.ErrorMessage) < 1000 || strings.Contains(decoded.ErrorMessage, "\n")) {
				err = fmt.Errorf("errorMessage is %s", abbreviate(decoded.ErrorMessage))
			}
			return err
		},
	},
	{"bashcurl", "white space at the end is kept"}: {
		why:   "$(cat) drops line ends at the end of an event",
		check: func(o *outcome) error { return o.responses("\n 1 \n\n \n") },
	},
	{"bashcurl", "event both on stdin and as argument"}: {
		why:   "$(cat) drops line ends at the end of an event",
		check: func(o *outcome) error { return o.responses("1|x y|x y") },
	},
	{"bashcurl", "malformed: two lengths"}: {
		why:   "curl takes the first length",
		check: wentOn,
	},
	{"bashcurl", "malformed: head cut short"}: {
		why:   "curl takes a head that ends with the connection",
		check: wentOn,
	},
	{"bashtcp", "any byte on stdin"}:         {why: noNUL, check: refusedNUL("id-1", "id-2")},
	{"bashtcp", "executable handler"}:        {why: noNUL, check: refusedNUL("id-2")},
	{"bashtcp-static", "any byte on stdin"}:  {why: noNUL, check: refusedNUL("id-1", "id-2")},
	{"bashtcp-static", "executable handler"}: {why: noNUL, check: refusedNUL("id-2")},
	{"lambdago", "User-Agent"}: {
		why: "aws-lambda-go sends its own",
		check: func(o *outcome) error {
			for _, r := range o.requests {
				if agent := r.Header.Get("User-Agent"); !strings.HasPrefix(agent, "aws-lambda-go/") {
					return fmt.Errorf("User-Agent of %s is %q", r.Path, agent)
				}
			}
			return o.responses("1")
		},
	},
	{"lambdago", "error type in a header"}: {
		why: "aws-lambda-go puts the type into the JSON only",
		check: func(o *outcome) error {
			decoded, err := o.failure("id-1")
			if err == nil && decoded.ErrorType != "Function.ExitStatus" {
				err = fmt.Errorf("errorType is %q", decoded.ErrorType)
			}
			return first(err, o.running())
		},
	},
	{"lambdago", "context in the environment"}: {
		why: "aws-lambda-go parses client context and Cognito identity, so what the handler gets is encoded again",
		check: func(o *outcome) error {
			const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1\n"
			return first(o.responses("id-1\narn:aws:lambda:eu-west-1:123456789012:function:conformance\n"+trace+trace+
				`{"client":{"installation_id":"","app_title":"","app_version_code":"","app_package_name":""},`+
				`"custom":{"a":"$(touch touched)"},"env":null}`+"\n"+
				`{"cognitoIdentityId":"id","cognitoIdentityPoolId":""}`+"\n"+
				"tenant-1\n13\n/tmp\n"+o.inside+"\nexported"), o.untouched("touched"))
		},
	},
	{"lambdago", "malformed: no request id"}: {
		why: "aws-lambda-go first finds that the deadline is missing, and reports that for the invocation with the id \"\"; it ends when that is answered, or because the API has hung up",
		check: func(o *outcome) error {
			if len(o.find("/invocation//error")) > 1 || !o.exited || o.status <= 0 {
				return fmt.Errorf("the bootstrap did something else")
			}
			return o.untouched("touched")
		},
	},
	{"lambdago", "POST response answers 400, then 403"}: {
		why:   "aws-lambda-go ends at any status but 202",
		check: func(o *outcome) error { return endedAfterFirst(o, "400") },
	},
	{"lambdago", "POST response answers 410"}: {
		why:   "aws-lambda-go ends at any status but 202",
		check: func(o *outcome) error { return endedAfterFirst(o, "410") },
	},
	{"lambdago", "POST error answers 400"}: lambdagoEnds("400"),
	{"lambdago", "POST error answers 403"}: lambdagoEnds("403"),
	{"lambdago", "POST error answers 410"}: lambdagoEnds("410"),
	{"lambdago", "POST error answers 413"}: lambdagoEnds("413"),
	{"lambdago", "Invocation-Id goes back with the outcome"}: {
		why: "aws-lambda-go 1.55.1, the newest, does not know this field, and Lambda checks the field only if it comes back",
		check: func(o *outcome) error {
			for _, r := range o.requests {
				if r.Header.Get("Lambda-Runtime-Invocation-Id") != "" {
					return fmt.Errorf("%s has the field", r.Path)
				}
			}
			return o.running()
		},
	},
	{"lambdago", "POST response answers 413"}: {
		why:   "aws-lambda-go ends at any status but 202",
		check: func(o *outcome) error { return endedAfterFirst(o, "413") },
	},
}

// lambdagoEnds is the exception of lambdago for POST /error with a status.
func lambdagoEnds(status string) exception {
	return exception{
		why: "aws-lambda-go ends at any status but 202",
		check: func(o *outcome) error {
			if len(o.find("/invocation/next")) != 1 || !o.exited || o.status <= 0 || !strings.Contains(o.stderr, status) {
				return fmt.Errorf("the bootstrap did something else")
			}
			return nil
		},
	}
}

const (
	noNUL = "Bash drops NUL bytes as it reads, so an event that holds one is refused; Lambda's own events are JSON and hold none"
)

// refusedNUL checks that these events were refused because of their NUL bytes, and that the bootstrap went on.
func refusedNUL(ids ...string) func(*outcome) error {
	return func(o *outcome) error {
		for _, id := range ids {
			if err := o.failureSays(id, "NUL"); err != nil {
				return err
			}
		}
		return nil
	}
}

const questionMarks = "JSON by tr and sed: control characters become a space or a question mark"

const noExecutables = "the tutorial's loop knows functions only"

// refusedName checks that INIT failed because of the handler's name.
func refusedName(o *outcome) error {
	decoded, err := o.initError()
	if err == nil && decoded.ErrorType != "Runtime.ConfigInvalid" {
		err = fmt.Errorf("errorType is %s", decoded.ErrorType)
	}
	return err
}

// onlyAskedFor checks that the event was fetched and nothing else happened.
func onlyAskedFor(o *outcome) error {
	if len(o.find("/invocation/next")) != 1 || len(o.requests) != 1 || !o.hung {
		return fmt.Errorf("the bootstrap did something else")
	}
	return nil
}

// wentOn checks that an answer that is not HTTP was treated as an event.
func wentOn(o *outcome) error {
	if o.untouched("touched") == nil {
		return fmt.Errorf("the handler did not run")
	}
	return o.running()
}

// endedAfterFirst checks that the bootstrap exited after the first response because that was refused.
func endedAfterFirst(o *outcome, status string) error {
	if err := o.gaveUp(); err != nil {
		return err
	}
	if len(o.find("/invocation/next")) != 1 || !strings.Contains(o.stderr, status) {
		return fmt.Errorf("the bootstrap did something else")
	}
	return nil
}
