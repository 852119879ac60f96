// Package runtimeapi is a bootstrap's client of Lambda's Runtime API, version 2018-06-01: operations, header names and
// the meaning of each status, over any Transport. It imports neither net nor fmt nor encoding/json, so that the
// smallest bootstrap can use it.
//
// See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
package runtimeapi

import (
	"errors"
	"strconv"
)

const (
	// Base is where the API's paths start.
	Base = "/2018-06-01/runtime"

	// HeaderErrorType is sent with every error report.
	HeaderErrorType = "Lambda-Runtime-Function-Error-Type"

	// HeaderInvocationID comes with an event since July 2026, and the bootstrap sends it back with the outcome. With it
	// the API can refuse (410) a late answer to an event that has timed out, even if a later event has the same
	// request id. See https://github.com/aws/aws-lambda-rust-runtime/issues/1155.
	HeaderInvocationID = "Lambda-Runtime-Invocation-Id"
)

// Transport carries one request at a time to the Runtime API. It has no time-out, because GET /next may take hours.
type Transport interface {
	Do(Request) (Reply, error)
}

// Request is what a Transport sends.
type Request struct {
	Method, Path string // the path starts at /2018-06-01
	ErrorType    string // value of HeaderErrorType; "" sends no such field
	InvocationID string // value of HeaderInvocationID; "" sends no such field
	Body         []byte
}

// Reply is the answer of the Runtime API. Its parts are valid until the next Do.
type Reply struct {
	Status int
	Header interface{ Get(name string) string } // ignores the case of names
	Body   []byte
}

// Client calls the operations of the Runtime API.
type Client struct {
	Transport Transport
	Log       func(line string) // called for refusals that the bootstrap survives

	invocation string // HeaderInvocationID of the current event; "" if the event has none
}

// Fields are the header fields that come with an event, and the variables in which a handler finds them.
var Fields = [...]struct{ Header, Variable string }{
	RequestID:       {"Lambda-Runtime-Aws-Request-Id", "LAMBDA_RUNTIME_AWS_REQUEST_ID"},
	DeadlineMS:      {"Lambda-Runtime-Deadline-Ms", "LAMBDA_RUNTIME_DEADLINE_MS"},
	FunctionARN:     {"Lambda-Runtime-Invoked-Function-Arn", "LAMBDA_RUNTIME_INVOKED_FUNCTION_ARN"},
	TraceID:         {"Lambda-Runtime-Trace-Id", "LAMBDA_RUNTIME_TRACE_ID"},
	ClientContext:   {"Lambda-Runtime-Client-Context", "LAMBDA_RUNTIME_CLIENT_CONTEXT"},
	CognitoIdentity: {"Lambda-Runtime-Cognito-Identity", "LAMBDA_RUNTIME_COGNITO_IDENTITY"},
	TenantID:        {"Lambda-Runtime-Aws-Tenant-Id", "LAMBDA_RUNTIME_AWS_TENANT_ID"},
}

// Indexes of Fields and of a Context.
const (
	RequestID = iota
	DeadlineMS
	FunctionARN
	TraceID
	ClientContext
	CognitoIdentity
	TenantID
)

// TraceVariable is the second variable of the trace id.
const TraceVariable = "_X_AMZN_TRACE_ID"

// Contextual reports whether a bootstrap sets a variable itself, so that handlers must not inherit it.
func Contextual(name string) bool {
	for i := range Fields {
		if name == Fields[i].Variable {
			return true
		}
	}
	return name == "HOME" || name == TraceVariable
}

// Context holds the values of Fields as they were sent. "" means that the API did not send the field.
type Context [len(Fields)]string

// Invocation is one event and its context.
type Invocation struct {
	Context
	Event []byte // valid until the next request
}

// Next waits for an invocation, without a time limit. After an error the bootstrap should exit.
func (c *Client) Next() (*Invocation, error) {
	const path = Base + "/invocation/next"
	reply, err := c.Transport.Do(Request{Method: "GET", Path: path})
	if err != nil {
		return nil, during("GET "+path, err)
	}
	if reply.Status != 200 {
		return nil, answered("GET "+path, reply)
	}
	inv := &Invocation{Event: reply.Body}
	for i, field := range Fields {
		inv.Context[i] = reply.Header.Get(field.Header)
	}
	if !ValidID(inv.Context[RequestID]) {
		return nil, errors.New("GET " + path + " answered without a usable " + Fields[RequestID].Header)
	}
	c.invocation = reply.Header.Get(HeaderInvocationID)
	return inv, nil
}

// Succeed sends the response of an invocation. If the API answers that the response is too large, Succeed reports
// that as the invocation's error. It logs a refusal (400, 403, 410: the invocation is already over). After an error
// the bootstrap should exit.
func (c *Client) Succeed(id string, response []byte) error {
	reply, err := c.post("/invocation/"+id+"/response", "", response)
	if err != nil || reply.Status != 413 {
		return err
	}
	return c.Fail(id, TooLarge(len(response)))
}

// TooLarge is the error for a response that is larger than the API accepts.
func TooLarge(size int) *Error {
	return &Error{"Function.ResponseSizeTooLarge",
		"response of " + strconv.Itoa(size) + " bytes is larger than Lambda takes"}
}

// Fail reports the error of an invocation.
func (c *Client) Fail(id string, e *Error) error {
	_, err := c.post("/invocation/"+id+"/error", e.Type, e.AppendJSON(nil))
	return err
}

// FailInit reports that INIT failed, and returns that failure. After it the bootstrap should exit with a non-zero
// status.
func (c *Client) FailInit(e *Error) error { return c.give("/init/error", e) }

func (c *Client) give(path string, e *Error) error {
	if _, err := c.post(path, e.Type, e.AppendJSON(nil)); err != nil {
		return errors.New(e.Error() + "; reporting that: " + err.Error())
	}
	return e
}

// Types of hooks' errors, as AWS's own clients report them.
const (
	BeforeSnapshotError = "Runtime.BeforeSnapshotError"
	AfterRestoreError   = "Runtime.AfterRestoreError"
)

// Snapshot follows SnapStart's protocol at the end of INIT: it calls before, sends GET /restore/next, and calls after.
// GET /restore/next is answered in each environment that is restored from the snapshot. Snapshot reports a hook's error
// and returns it. After an error the bootstrap should exit.
func (c *Client) Snapshot(before, after func() *Error) error {
	const path = Base + "/restore/next"
	if e := before(); e != nil {
		return c.FailInit(e)
	}
	reply, err := c.Transport.Do(Request{Method: "GET", Path: path})
	if err != nil {
		return during("GET "+path, err)
	}
	if reply.Status != 200 {
		return answered("GET "+path, reply)
	}
	if e := after(); e != nil {
		return c.give("/restore/error", e)
	}
	return nil
}

// post sends the outcome of an invocation. The caller must handle 413 as the answer to a response.
func (c *Client) post(path, errorType string, body []byte) (Reply, error) {
	reply, err := c.Transport.Do(
		Request{Method: "POST", Path: Base + path, ErrorType: errorType, InvocationID: c.invocation, Body: body})
	if err != nil {
		return reply, during("POST "+Base+path, err)
	}
	switch {
	case reply.Status >= 200 && reply.Status < 300, reply.Status == 413 && errorType == "":
		return reply, nil
	case reply.Status == 400, reply.Status == 403, reply.Status == 410, reply.Status == 413:
		c.Log(answered("POST "+Base+path, reply).Error() + "; going on")
		return reply, nil
	}
	return reply, answered("POST "+Base+path, reply)
}

// answered returns an error, on one line, for an unexpected status.
func answered(request string, reply Reply) error {
	const most = 200
	body := reply.Body
	if len(body) > most {
		body = body[:most]
	}
	line := request + " answered " + strconv.Itoa(reply.Status)
	if len(body) > 0 {
		line += ": " + strconv.Quote(string(body))
	}
	return errors.New(line)
}

func during(request string, err error) error { return &requestError{request, err} }

type requestError struct {
	request string
	err     error
}

func (e *requestError) Error() string { return e.request + ": " + e.err.Error() }
func (e *requestError) Unwrap() error { return e.err }

// Version of the bootstraps. It is part of the User-Agent: twinstart/<version>-<bootstrap>.
const Version = "0.1.0"

// UserAgent returns the User-Agent of a bootstrap.
func UserAgent(bootstrap string) string { return "twinstart/" + Version + "-" + bootstrap }
