package main

import "github.com/twinstart/twinstart/runtime/runtimeapi"

// failure is an error on its way to the Runtime API. There is one at a time.
type failure struct {
	kind    string // errorType, such as Runtime.NoSuchHandler
	message text
}

var (
	theFailure    failure
	failureMemory [16 << 10]byte
	reportMemory  [128 << 10]byte // JSON of a message at its longest: \u00xx for each byte
)

// fail starts the message of a failure.
func fail(kind string) *failure {
	theFailure = failure{kind, in(failureMemory[:])}
	return &theFailure
}

func (f *failure) say(parts ...string) *failure {
	f.message.add(parts...)
	return f
}

func (f *failure) quote(s string) *failure {
	f.message.quoted(s)
	return f
}

// json is the body of an error report.
func (f *failure) json() []byte {
	e := runtimeapi.Error{Type: f.kind, Message: f.message.string()}
	return e.AppendJSON(reportMemory[:0])
}
