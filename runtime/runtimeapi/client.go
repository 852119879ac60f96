// Package runtimeapi is Lambda's Runtime API, version 2018-06-01, as a bootstrap uses it: operations, header names
// and the meaning of each status, over any Transport. It imports neither net nor fmt nor encoding/json, so that the
// smallest bootstrap can use it.
//
// See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
package runtimeapi

import (
	"errors"
	"strconv"
)

const (
	base = "/2018-06-01/runtime"

	headerRequestID       = "Lambda-Runtime-Aws-Request-Id"
	headerDeadlineMS      = "Lambda-Runtime-Deadline-Ms"
	headerFunctionARN     = "Lambda-Runtime-Invoked-Function-Arn"
	headerTraceID         = "Lambda-Runtime-Trace-Id"
	headerClientContext   = "Lambda-Runtime-Client-Context"
	headerCognitoIdentity = "Lambda-Runtime-Cognito-Identity"
	headerTenantID        = "Lambda-Runtime-Aws-Tenant-Id"

	// HeaderErrorType is sent with every error report.
	HeaderErrorType = "Lambda-Runtime-Function-Error-Type"

	// HeaderInvocationID comes with an event since July 2026, and the bootstrap sends it back with the outcome. If
	// a late answer belongs to an event that has timed out, the API can refuse it (410), even if a later event has
	// the same request id. See https://github.com/aws/aws-lambda-rust-runtime/issues/1155.
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

// Invocation is one event and its context. A part of the context that the API did not send is "".
type Invocation struct {
	RequestID       string
	DeadlineMS      string // Unix time in milliseconds, as sent
	FunctionARN     string
	TraceID         string
	ClientContext   string // JSON
	CognitoIdentity string // JSON
	TenantID        string
	Event           []byte // valid until the next request
}

// Next waits for an invocation, without a time limit. After an error the bootstrap should exit.
func (c *Client) Next() (*Invocation, error) {
	const path = base + "/invocation/next"
	reply, err := c.Transport.Do(Request{Method: "GET", Path: path})
	if err != nil {
		return nil, during("GET "+path, err)
	}
	if reply.Status != 200 {
		return nil, answered("GET "+path, reply)
	}
	inv := &Invocation{
		RequestID:       reply.Header.Get(headerRequestID),
		DeadlineMS:      reply.Header.Get(headerDeadlineMS),
		FunctionARN:     reply.Header.Get(headerFunctionARN),
		TraceID:         reply.Header.Get(headerTraceID),
		ClientContext:   reply.Header.Get(headerClientContext),
		CognitoIdentity: reply.Header.Get(headerCognitoIdentity),
		TenantID:        reply.Header.Get(headerTenantID),
		Event:           reply.Body,
	}
	if !ValidID(inv.RequestID) {
		return nil, errors.New("GET " + path + " answered no usable " + headerRequestID)
	}
	c.invocation = reply.Header.Get(HeaderInvocationID)
	return inv, nil
}

// Succeed sends the response of an invocation. If the API answers that the response is too large, Succeed reports
// that as the invocation's error. A refusal (400, 403, 410: the invocation is already over) is logged. After an
// error the bootstrap should exit.
func (c *Client) Succeed(id string, response []byte) error {
	reply, err := c.post("/invocation/"+id+"/response", "", response)
	if err != nil || reply.Status != 413 {
		return err
	}
	return c.Fail(id, TooLarge(len(response)))
}

// TooLarge is the error for a response that is larger than the API accepts.
func TooLarge(size int) *Error {
	return &Error{"Function.ResponseSizeTooLarge", "response of " + strconv.Itoa(size) + " bytes is larger than Lambda takes"}
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

// Snapshot follows SnapStart's protocol at the end of INIT: before, then GET /restore/next, which is answered in each
// environment that is restored from the snapshot, then after. It reports a hook's error and returns it. After an error
// the bootstrap should exit.
func (c *Client) Snapshot(before, after func() *Error) error {
	const path = base + "/restore/next"
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

// post sends the outcome of an invocation. It returns 413 for a response to the caller.
func (c *Client) post(path, errorType string, body []byte) (Reply, error) {
	reply, err := c.Transport.Do(Request{Method: "POST", Path: base + path, ErrorType: errorType, InvocationID: c.invocation, Body: body})
	if err != nil {
		return reply, during("POST "+base+path, err)
	}
	switch {
	case reply.Status >= 200 && reply.Status < 300, reply.Status == 413 && errorType == "":
		return reply, nil
	case reply.Status == 400, reply.Status == 403, reply.Status == 410, reply.Status == 413:
		c.Log(answered("POST "+base+path, reply).Error() + "; going on")
		return reply, nil
	}
	return reply, answered("POST "+base+path, reply)
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

// during adds the request to an error.
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
