package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
	"github.com/twinstart/twinstart/lab/assembly"
)

// scenario is something that happens to a run in an account. After each, the functions must be as they were before.
type scenario struct {
	name    string
	arrange func(a *testAccount) (login func()) // login, if not nil, makes credentials work again before --resume
	args    []string
	status  int
	say     []string                 // texts that must be in the output, the records or run.json
	foreign func(*api.Configuration) // the change of somebody else, which must stay
	kill    string                   // the run is killed at the fourth call of this operation; "" means an update
}

const update, invoke, look, publish, remove = "UpdateFunctionConfiguration", "Invoke", "GetFunction", "PublishVersion", "DeleteFunction"

// withSnapStart gives c/image SnapStart before the run, so that its versions start from a snapshot.
func withSnapStart(more ...func(*testAccount) func()) func(*testAccount) func() {
	return func(a *testAccount) func() {
		a.Snapshots = 2
		a.Change(imageC, snapStart)
		for _, do := range more {
			do(a)
		}
		return nil
	}
}

// withVariants makes a/zip a baseline, with a null twin and an arm that changes memory and a variable.
func withVariants(a *testAccount) func() {
	file := filepath.Join(a.assembly, "Shop.template.json")
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, bytes.Replace(text, []byte(`"arm":"a/zip",`), []byte(`"arm":"a/zip","levels":{"lever":"baseline"},"variants":[{"lever":"twin"},
			{"lever":"memory","level":"1024","set":{"memorySizeMB":1024,"environment":{"KEEP":"no more"}}}],`), 1), 0o644)
	}
	if err != nil {
		panic(err)
	}
	return nil
}

func snapStart(c *api.Configuration) { c.SnapStart = c.Name == imageC }

// failedSnapshot makes the second version one whose snapshot cannot be taken.
func failedSnapshot(a *testAccount) func() {
	a.Publishing = func(c *api.Configuration) {
		if c.Version == "2" {
			c.State, c.StateReason = "Failed", "FunctionError: before_snapshot returned 3"
		}
	}
	return nil
}

// crash ends the environment of one invocation of a version of c/image, so that an INIT replaces a restore.
func crash(a *testAccount) func() {
	run, once := a.Run, sync.Once{}
	a.Run = func(r double.Run) double.Answer {
		answer := run(r)
		if r.Restored {
			once.Do(func() { answer.InitMs, answer.RestoreMs = 1, 0 })
		}
		return answer
	}
	return nil
}

// left is the value of a variable that a run left behind.
const left = "ABCDEFGH2345"

func colleague(c *api.Configuration) {
	if c.Name == zipA {
		c.MemorySizeMB = 128
		c.Environment = map[string]string{"KEEP": "me", "SECRET": "s3cret-A", "COLLEAGUE": "was here"}
	}
}

// meddle does what a colleague's deployment does during a run: it replaces the whole environment.
func meddle(a *testAccount) func() { return func() { a.Change(zipA, colleague) } }

// edit does what the console does: it adds a variable to the existing ones.
func edit(a *testAccount) func() {
	return func() {
		a.Change(zipA, func(c *api.Configuration) {
			env := map[string]string{"COLLEAGUE": "was here"}
			for name, value := range c.Environment {
				env[name] = value
			}
			c.MemorySizeMB, c.Environment = 128, env
		})
	}
}

func strike(faults ...double.Fault) func(*testAccount) func() {
	return func(a *testAccount) func() {
		for _, f := range faults {
			a.Strike(&f)
		}
		return nil
	}
}

// refuseFrom refuses all calls, from the nth call of an operation until somebody logs in.
func refuseFrom(operation string, nth int, answer *api.Error) func(*testAccount) func() {
	return func(a *testAccount) func() {
		var refused atomic.Bool
		a.at(operation, "", nth, func() { refused.Store(true) })
		a.refused = func() *api.Error {
			if refused.Load() {
				return answer
			}
			return nil
		}
		return func() { refused.Store(false) }
	}
}

func every(operation string, n int, fault double.Fault) func(*testAccount) func() {
	return func(a *testAccount) func() {
		var calls atomic.Int64
		a.Decide = func(c double.Call) *double.Fault {
			if c.Operation == operation && calls.Add(1)%int64(n) == 0 {
				return &fault
			}
			return nil
		}
		return nil
	}
}

func change(name string, what func(*api.Configuration)) func(*testAccount) func() {
	return func(a *testAccount) func() { a.Change(name, what); return nil }
}

var throttle = &api.Error{Status: 429, Code: "TooManyRequestsException", Message: "Rate exceeded"}

func scenarios() []scenario {
	return []scenario{
		{name: "nothing happens", say: []string{"about 1 min: ", "3 functions, 3 at a time", `"codeSha256"`, `"runtimeVersion": "arn:aws:lambda:eu-west-1::runtime:1"`, "r@sha256:00", `"packageSizeBytes":1000`}},
		{name: "one function stands for several arms", arrange: withVariants, say: []string{"5 arms of 3 functions, 3 at a time", `"arm":"a/zip-memory-1024"`, `"memorySizeMB":1024`, `"levels":{"lever":"twin"}`}},
		{name: "one function of anybody's", args: []string{"--function", zipA, "--function", "arn:aws:lambda:eu-west-1:123456789012:function:" + imageC, "--force-cold"},
			say: []string{`"functions": [`, `"experiment": "functions"`}},
		{name: "it has callers", args: []string{"--function", zipA}, status: exitUsage,
			say: []string{"Shop-A may have callers, who would notice this run: it changes an environment variable of the function 4 times", "add --force-cold", "twinstart logs --log-group /aws/lambda/Shop-A --since 10d"}},
		{name: "it has provisioned concurrency", args: []string{"--function", zipA, "--force-cold"}, arrange: func(a *testAccount) func() { a.provisioned = zipA; return nil }, status: exitUsage,
			say: []string{"Shop-A has provisioned concurrency: "}},
		{name: "a live alias points at $LATEST", args: []string{"--function", zipA, "--function", zipB, "--force-cold"}, arrange: func(a *testAccount) func() { a.Alias(zipA, "live", api.Latest); return nil }, status: exitIncomplete,
			say: []string{"Shop-A: Shop-A: alias live points at $LATEST, which a run changes"}},
		{name: "aliases may not be listed", args: []string{"--function", zipA, "--force-cold"}, arrange: strike(double.Fault{Operation: "ListAliases", Error: double.Denied("lambda:ListAliases")}), status: exitUsage,
			say: []string{"listing the aliases of Shop-A: AccessDeniedException"}},
		{name: "a function of another account", args: []string{"--function", "arn:aws:lambda:eu-west-1:999999999999:function:orders", "--force-cold"}, status: exitUsage,
			say: []string{"is in account 999999999999, and the credentials are for 123456789012: set AWS_PROFILE"}},
		{name: "a function of another region", args: []string{"--function", "orders", "--force-cold"}, status: exitUsage,
			say: []string{"there is no function orders in eu-west-1 of account 123456789012: set AWS_REGION or AWS_PROFILE"}},
		{name: "functions of two regions", args: []string{"--function", "arn:aws:lambda:eu-west-1:123456789012:function:a", "--function", "arn:aws:lambda:us-east-1:123456789012:function:b", "--force-cold"},
			status: exitUsage, say: []string{"function:b is not in eu-west-1: measure the functions of one region at a time"}},
		{name: "a version of a function", args: []string{"--function", "orders:live", "--force-cold"}, status: exitUsage, say: []string{"to measure a version or an alias, use twinstart load --qualifier"}},
		{name: "updates show late", arrange: func(a *testAccount) func() { a.Stale, a.InProgress = 1, 1; return nil }},
		{name: "every third update is throttled", arrange: every(update, 3, double.Fault{Error: throttle})},
		{name: "every fifth look is throttled", arrange: every(look, 5, double.Fault{Error: throttle})},
		{name: "invocations are throttled at times", arrange: every(invoke, 4, double.Fault{Error: throttle}), say: []string{`"marked":"throttled"`}},
		{name: "every third answer of an update is lost", arrange: every(update, 3, double.Fault{Lost: true})},
		{name: "every third update arrives twice", arrange: every(update, 3, double.Fault{Twice: true})},
		{name: "every third update is cut off", arrange: every(update, 3, double.Fault{Cut: true})},
		{name: "every third update meets another one", arrange: every(update, 3, double.Fault{Error: api.Conflict("An update is in progress")})},
		{name: "the service fails once", arrange: strike(double.Fault{Operation: invoke, After: 3, Times: 1, Error: double.Service("ServiceException")}),
			say: []string{`"marked":"no answer: ServiceException`}},
		{name: "somebody's update is under way", arrange: func(a *testAccount) func() { a.Busy(zipA, 2); return nil }},
		{name: "credentials expire", arrange: refuseFrom(invoke, 7, double.Expired()), status: exitIncomplete,
			say: []string{"ExpiredTokenException", "log in, then continue with twinstart run --resume --out ", "which also removes what is left (", `"interrupted": true`}},
		{name: "credentials expire during an update", arrange: refuseFrom(update, 9, double.Expired()), status: exitIncomplete, say: []string{"log in, then"}},
		{name: "credentials are refused", arrange: refuseFrom(look, 24, &api.Error{Status: 403, Code: "UnrecognizedClientException", Message: "The security token included in the request is invalid."}),
			status: exitIncomplete, say: []string{"UnrecognizedClientException", "log in, then"}},
		{name: "credentials expire for a moment", arrange: strike(double.Fault{Operation: invoke, After: 8, Times: 1, Error: double.Expired()}), status: exitIncomplete,
			say: []string{"continue with twinstart run --resume"}},
		{name: "a colleague deploys", arrange: func(a *testAccount) func() { a.at(update, zipA, 3, meddle(a)); return nil }, foreign: colleague, status: exitIncomplete,
			say: []string{"a/zip: somebody else changed the function meanwhile (memory is 128, not 512)", `"deployedAtEnd"`}},
		{name: "a colleague deploys before an invocation", arrange: func(a *testAccount) func() { a.at(invoke, zipA, 2, meddle(a)); return nil }, foreign: colleague, status: exitIncomplete,
			say: []string{`"marked":"changed meanwhile: `, "memory is 128, not 512"}},
		{name: "a colleague edits in the console", arrange: func(a *testAccount) func() { a.at(invoke, zipA, 2, edit(a)); return nil }, foreign: colleague, status: exitIncomplete,
			say: []string{"a/zip: somebody else changed the function meanwhile"}},
		{name: "a colleague edits one variable", arrange: func(a *testAccount) func() {
			a.at(update, zipA, 3, func() {
				a.Change(zipA, func(c *api.Configuration) { c.Environment = map[string]string{"KEEP": "you"} })
			})
			return nil
		}, foreign: func(c *api.Configuration) {
			if c.Name == zipA {
				c.Environment = map[string]string{"KEEP": "you"}
			}
		}, status: exitIncomplete, say: []string{"somebody else changed the function meanwhile (environment variables)"}},
		{name: "code is replaced", arrange: func(a *testAccount) func() {
			a.at(update, zipB, 3, func() { a.Change(zipB, func(c *api.Configuration) { c.CodeSHA256 = "bmV3" }) })
			return nil
		}, foreign: func(c *api.Configuration) {
			if c.Name == zipB {
				c.CodeSHA256 = "bmV3"
			}
		}, status: exitIncomplete, say: []string{"b/zip: ", "code is bmV3, not "}},
		{name: "Lambda makes another revision of the same", arrange: func(a *testAccount) func() {
			a.at(update, zipA, 3, func() { a.Change(zipA, func(*api.Configuration) {}) })
			return nil
		}},
		{name: "cdk.out is another one for an arm", arrange: change(zipA, func(c *api.Configuration) { c.Architecture = "x86_64" }), status: exitIncomplete,
			foreign: func(c *api.Configuration) {
				if c.Name == zipA {
					c.Architecture = "x86_64"
				}
			}, say: []string{"warning: a/zip: the deployed function is not the one in ", "(architecture is x86_64, not arm64): deploy that with make deploy, or name the deployed assembly with --assembly"}},
		{name: "another image is deployed", arrange: change(imageC, func(c *api.Configuration) { c.Code = map[string]any{"ImageUri": "r:old"} }), status: exitIncomplete,
			foreign: func(c *api.Configuration) {
				if c.Name == imageC {
					c.Code = map[string]any{"ImageUri": "r:old"}
				}
			}, say: []string{"c/image: the deployed function is not the one in ", "(another image)"}},
		{name: "one function cannot be read", arrange: strike(double.Fault{Operation: look, Function: zipA, Error: double.Denied("lambda:GetFunction")}), status: exitIncomplete,
			say: []string{"a/zip: reading the configuration of Shop-A: AccessDeniedException"}},
		{name: "one function may not be changed", arrange: strike(double.Fault{Operation: update, Function: zipA, Error: double.Denied("lambda:UpdateFunctionConfiguration")}), status: exitIncomplete,
			say: []string{"a/zip: updating the configuration of Shop-A: AccessDeniedException"}},
		{name: "an environment that cannot be read", arrange: change(zipA, func(c *api.Configuration) { c.Extra = double.Unreadable() }), status: exitIncomplete,
			foreign: func(c *api.Configuration) {
				if c.Name == zipA {
					c.Extra = double.Unreadable()
				}
			}, say: []string{"environment variables of Shop-A cannot be read"}},
		{name: "one function is gone", arrange: strike(double.Fault{Function: zipB, Error: api.Absent("Function not found: Shop-B")}), status: exitIncomplete,
			say: []string{"b/zip: reading the configuration of Shop-B: ResourceNotFoundException"}},
		{name: "one function was idle for weeks", arrange: change(imageC, func(c *api.Configuration) { c.State = "Inactive" }),
			say: []string{"c/image@512 was Inactive, because nobody had called it for weeks: a call that does not count has woken it"}},
		{name: "restores", arrange: withSnapStart(), foreign: snapStart, kill: publish,
			say: []string{`"restore":"first"`, `"restore":"warmed"`, `"restoreDurationMs":`, `"billedRestoreDurationMs":`}},
		{name: "restores, throttles and a failed snapshot", arrange: withSnapStart(failedSnapshot, strike(double.Fault{Operation: invoke, Qualifier: "?", Times: 1, Error: throttle},
			double.Fault{Operation: publish, After: 1, Times: 1, Error: throttle}, double.Fault{Operation: remove, Times: 1, Error: throttle})), foreign: snapStart, kill: publish,
			say: []string{`"marked":"throttled"`, "is in state Failed: FunctionError: before_snapshot returned 3"}},
		{name: "an answer of PublishVersion is lost", arrange: withSnapStart(every(publish, 2, double.Fault{Lost: true})), foreign: snapStart, kill: publish},
		{name: "PublishVersion arrives twice", arrange: withSnapStart(every(publish, 2, double.Fault{Twice: true})), foreign: snapStart, kill: publish},
		{name: "INIT in place of a restore", arrange: withSnapStart(crash), foreign: snapStart, kill: publish, say: []string{`"marked":"INIT in place of a restore"`}},
		{name: "versions may not be published", arrange: withSnapStart(strike(double.Fault{Operation: publish, Error: double.Denied("lambda:PublishVersion")})), foreign: snapStart, status: exitIncomplete,
			say: []string{"publishing a version of Shop-C: AccessDeniedException"}},
		{name: "credentials expire between two versions", arrange: func(a *testAccount) func() {
			withSnapStart()(a)
			return refuseFrom(publish, 3, double.Expired())(a)
		}, foreign: snapStart, status: exitIncomplete, say: []string{"log in, then"}},
		{name: "a run with --phases was killed", arrange: change(zipA, func(c *api.Configuration) {
			c.Environment = map[string]string{"KEEP": "me", "SECRET": "s3cret-A", "TWINSTART_PHASES": left}
		})},
		{name: "a run was killed", arrange: change(zipA, func(c *api.Configuration) {
			c.Environment = map[string]string{"KEEP": "me", "SECRET": "s3cret-A", "TWINSTART_NONCE": left}
		}), args: []string{"--phases"}},
		{name: "a user's own phases stay", arrange: change(zipA, func(c *api.Configuration) { c.Environment["TWINSTART_PHASES"] = "1" }), args: []string{"--phases"},
			foreign: func(c *api.Configuration) {
				if c.Name == zipA {
					c.Environment = map[string]string{"KEEP": "me", "SECRET": "s3cret-A", "TWINSTART_PHASES": "1"}
				}
			}},
		{name: "an environment was initialized ahead", arrange: func(a *testAccount) func() {
			run, once := a.Run, sync.Once{}
			a.Run = func(r double.Run) double.Answer {
				answer := run(r)
				if r.Cold {
					once.Do(func() { answer.InitMs = 9000 })
				}
				return answer
			}
			return nil
		}, say: []string{`"marked":"INIT that nobody waited for: the call took less time than INIT and Duration"`}},
	}
}

// TestNoRestoreInALabRun expects that a run in the lab leaves out functions with SnapStart and says why. If they were
// named, the run is incomplete.
func TestNoRestoreInALabRun(t *testing.T) {
	of := func(names ...string) *named {
		n := &named{}
		for _, name := range names {
			n.functions = append(n.functions, assembly.Function{Identity: arm.Identity{Arm: name}, SnapStart: strings.Contains(name, "primed")})
		}
		return n
	}
	const why = ": restore: not measured here, because the lab makes no snapshots: twinstart run --source aws"
	for _, asked := range []bool{false, true} {
		n := of("a/image", "a/image-unprimed", "a/image-primed")
		err := n.leaveRestoresOut(asked)
		absent := map[bool][]arm.NotMeasured{false: n.notMeasured, true: n.failed}[asked]
		if got := arm.Reasons(absent); err != nil || len(n.functions) != 1 || got != "a/image-unprimed, a/image-primed"+why {
			t.Errorf("%d functions, %q, %v", len(n.functions), got, err)
		}
	}
	if err := of("a/image-primed").leaveRestoresOut(true); err == nil || err.Error() != "a/image-primed"+why {
		t.Errorf("%v", err)
	}
}
