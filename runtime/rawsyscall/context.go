package main

// contextFields are what the Runtime API says of an event besides the event itself, and where a handler finds it.
// See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
var contextFields = [...]struct{ header, variable string }{
	{"Lambda-Runtime-Aws-Request-Id", "LAMBDA_RUNTIME_AWS_REQUEST_ID"},
	{"Lambda-Runtime-Deadline-Ms", "LAMBDA_RUNTIME_DEADLINE_MS"},
	{"Lambda-Runtime-Invoked-Function-Arn", "LAMBDA_RUNTIME_INVOKED_FUNCTION_ARN"},
	{"Lambda-Runtime-Trace-Id", "LAMBDA_RUNTIME_TRACE_ID"},
	{"Lambda-Runtime-Client-Context", "LAMBDA_RUNTIME_CLIENT_CONTEXT"},
	{"Lambda-Runtime-Cognito-Identity", "LAMBDA_RUNTIME_COGNITO_IDENTITY"},
	{"Lambda-Runtime-Aws-Tenant-Id", "LAMBDA_RUNTIME_AWS_TENANT_ID"},
}

// Fields that the bootstrap itself looks at, and the one that has a second name.
const (
	requestID  = 0
	deadlineMS = 1
	traceID    = 3

	traceVariable = "_X_AMZN_TRACE_ID"
)

// invocation is the event being handled. Context that was not sent is "". All is valid until the next request, but id and attempt, which are copies.
type invocation struct {
	context [len(contextFields)]string
	event   []byte
	until   int64 // when to kill the handler, on the monotonic clock, in ns; 0: never
	id      string
	attempt string // goes back with the outcome: runtimeapi.HeaderInvocationID
}

var (
	current       invocation
	idMemory      [256]byte
	attemptMemory [256]byte
)

// margin is how long before the deadline a handler is killed, in ns: time to report it before Lambda ends the environment. With
// 128 MB a process may run 1.4 ms of every 20, so it is several such periods.
const margin = 100e6

// setDeadline turns the deadline, Unix time in ms, into current.until.
func (inv *invocation) setDeadline() {
	inv.until = 0
	if ms, ok := decimal(inv.context[deadlineMS]); ok && ms < 1<<42 {
		inv.until = max(now(clockMonotonic)+(ms*1e6-now(clockRealtime))-margin, 1)
	}
}

// writeContext lays out what the worker reads: whether the same fields are there as last time (sent tells), the context, and the event
// as argument, which like any Bash variable ends at its first NUL.
func (inv *invocation) writeContext(file int, sent *uint) bool {
	var fields uint = 1 << len(inv.context)
	for i, value := range inv.context {
		if value != "" {
			fields |= 1 << i
		}
	}
	what := "same"
	if fields != *sent {
		what = "changed"
	}
	*sent = fields
	t := text{contextMemory[:0]}
	t.add(what).byte(0)
	for _, value := range inv.context {
		t.add(value).byte(0)
	}
	end := inv.event[len(inv.event) : len(inv.event)+1] // the body's memory is a byte longer than any event
	end[0] = 0
	errno := writeAt(file, t.bytes, inv.event[:len(inv.event)+1])
	rewind(file)
	return errno == 0
}

// maxContext is more than all fields take, in bytes: httpwire.MaxHead limits them.
const maxContext = 72 << 10

var contextMemory [maxContext]byte
