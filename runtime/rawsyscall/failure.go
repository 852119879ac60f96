package main

import "github.com/twinstart/twinstart/runtime/runtimeapi"

// failure is an error that will be reported to the Runtime API. There is only one at a time.
type failure struct {
	kind    string // errorType, such as Runtime.NoSuchHandler
	message text
}

var (
	theFailure    failure
	failureMemory [16 << 10]byte
	reportMemory  [128 << 10]byte // the longest JSON of a message: \u00xx for each byte
)

// fail starts a failure with an empty message.
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

// json returns the body of an error report.
func (f *failure) json() []byte {
	e := runtimeapi.Error{Type: f.kind, Message: f.message.string()}
	return e.AppendJSON(reportMemory[:0])
}
