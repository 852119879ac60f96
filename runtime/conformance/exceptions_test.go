package conformance

import (
	"fmt"
	"strings"
)

// exceptionKey names one cell of the table.
type exceptionKey struct{ bootstrap, scenario string }

// exception is what a bootstrap does in a scenario that it does not pass, and why it is so.
type exception struct {
	why   string
	check func(*outcome) error // nil: does exactly that
}

// exceptions are the cells that do not pass. One that starts to pass fails the test, so that this list stays true.
var exceptions = map[exceptionKey]exception{
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
				"tenant-1\n13\n/tmp\n"+o.root+"\nexported"), o.untouched("touched"))
		},
	},
	{"lambdago", "malformed: no request id"}: {
		why: "aws-lambda-go misses the deadline first and reports that for the invocation with the id \"\"; the answer ends it",
		check: func(o *outcome) error {
			if len(o.find("/invocation//error")) != 1 || !o.exited || o.status <= 0 {
				return fmt.Errorf("is not what happened")
			}
			return o.untouched("touched")
		},
	},
	{"lambdago", "POST response answers 400, then 403"}: {
		why:   "aws-lambda-go ends at any status but 202",
		check: func(o *outcome) error { return endedAfterFirst(o, "400") },
	},
	{"lambdago", "POST response answers 413"}: {
		why:   "aws-lambda-go ends at any status but 202",
		check: func(o *outcome) error { return endedAfterFirst(o, "413") },
	},
}

// endedAfterFirst says that the first response was the last, and its refusal the reason.
func endedAfterFirst(o *outcome, status string) error {
	if err := o.gaveUp(); err != nil {
		return err
	}
	if len(o.find("/invocation/next")) != 1 || !strings.Contains(o.stderr, status) {
		return fmt.Errorf("is not what happened")
	}
	return nil
}
