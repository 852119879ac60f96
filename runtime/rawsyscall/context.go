package main

// contextFields are the header fields that the Runtime API sends with an event, and the variables in which a
// handler finds them.
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

// Indexes of the fields that the bootstrap itself reads, and the second name of the trace id's variable.
const (
	requestID  = 0
	deadlineMS = 1
	traceID    = 3

	traceVariable = "_X_AMZN_TRACE_ID"
)

// invocation is the current event. A field that was not sent is "". id and attempt are copies; everything else is
// valid until the next request.
type invocation struct {
	context [len(contextFields)]string
	event   []byte
	until   int64 // time to kill the handler, on the monotonic clock, in ns; 0: never
	id      string
	attempt string // value of runtimeapi.HeaderInvocationID, which is sent back with the outcome
}

var (
	current       invocation
	idMemory      [256]byte
	attemptMemory [256]byte
)

// margin is the time before the deadline, in ns, at which a handler is killed. It leaves time to report that before
// Lambda ends the environment. With 128 MB a process may run 1.4 ms of every 20 ms, so margin is several such
// periods.
const margin = 100e6

// setDeadline computes current.until from the deadline, which is Unix time in ms.
func (inv *invocation) setDeadline() {
	inv.until = 0
	if ms, ok := decimal(inv.context[deadlineMS]); ok && ms < 1<<42 {
		inv.until = max(now(clockMonotonic)+(ms*1e6-now(clockRealtime))-margin, 1)
	}
}

// writeContext writes what the worker reads: "same" or "changed", the fields of the context, and the event as the
// function's argument. "same" means that the same fields are present as in the previous event; sent remembers
// which. Like any Bash variable, the argument ends at its first NUL.
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
	end := inv.event[len(inv.event) : len(inv.event)+1] // api.body has one byte more than the largest event
	end[0] = 0
	errno := writeAt(file, t.bytes, inv.event[:len(inv.event)+1])
	rewind(file)
	return errno == 0
}

// maxContext, in bytes, is more than all fields together can have, because httpwire.MaxHead limits them.
const maxContext = 72 << 10

var contextMemory [maxContext]byte
