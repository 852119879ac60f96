package main

import (
	"io"
	"syscall"

	"github.com/twinstart/twinstart/runtime/httpwire"
	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

const (
	apiBase   = runtimeapi.Base
	userAgent = "twinstart/" + runtimeapi.Version + "-rawsyscall"
	nextPath  = apiBase + "/invocation/next"
)

// Limits of what is held in memory, in bytes. Lambda's limit is 6 MB for an event and for a response that is not
// streamed, and the API refuses what is larger. These limits only keep a runaway handler from filling the memory.
const (
	maxEvent    = 16 << 20
	maxResponse = 16 << 20
)

// api is the connection to the Runtime API and its buffers.
var (
	api struct {
		runtimeapi.Wire
		socket socket
		memory httpwire.Memory
		body   [maxEvent + 1]byte // one byte more than the largest event: writeContext appends a NUL

		request httpwire.Request
		header  [6]httpwire.Field
		path    [512]byte
	}
	jsonType = httpwire.Field{Name: "Content-Type", Value: "application/json"}
	agent    = httpwire.Field{Name: "User-Agent", Value: userAgent}
)

const headerErrorType = runtimeapi.HeaderErrorType

// useAPI prepares the client. The client connects at its first request, or when Connect is called.
func useAPI() {
	api.Client.Host, api.Client.Dial, api.Agent = settings.api, dialAPI, agent
	api.Client.Use(&api.memory, api.body[:maxEvent])
}

func dialAPI() (io.ReadWriteCloser, error) { return &api.socket, api.socket.connect() }

// next waits for an event, without a time limit, and makes it current. It ends the program if the answer cannot be
// used.
func next() {
	response := exchangePatiently(nextPath)
	if response.Status != 200 {
		die(answered("GET ", nextPath, response))
	}
	for i, field := range runtimeapi.Fields {
		current.context[i] = asString(response.Header.Value(field.Header))
	}
	id := current.context[runtimeapi.RequestID]
	if !runtimeapi.ValidID(id) || len(id) > len(idMemory) {
		die(logged("GET ", nextPath, " answered without a usable ", runtimeapi.Fields[runtimeapi.RequestID].Header))
	}
	t := in(idMemory[:])
	current.id = t.add(id).string()
	current.attempt = ""
	if nonce := response.Header.Value(runtimeapi.HeaderInvocationID); len(nonce) < len(attemptMemory) {
		t = in(attemptMemory[:])
		current.attempt = t.add(asString(nonce)).string()
	} else {
		logged("GET ", nextPath, ": the ", runtimeapi.HeaderInvocationID, " is too long to send back").written()
	}
	current.event = response.Body
	current.setDeadline()
}

// succeed sends the response of the current event. If the API answers that it is too large, succeed reports that as
// the event's error.
func succeed(body []byte) {
	path := invocationPath("/response")
	response := exchange("POST", path, "", body)
	if response.Status == 413 {
		report(tooLarge(len(body)))
		return
	}
	judge(path, response)
}

func tooLarge(size int) *failure {
	f := fail("Function.ResponseSizeTooLarge").say("response of ")
	f.message.int(int64(size)).add(" bytes is larger than Lambda takes")
	return f
}

// report logs and sends the error of the current event.
func report(f *failure) {
	logged(current.id, ": ", f.kind, ": ", f.message.string()).written()
	path := invocationPath("/error")
	judge(path, exchange("POST", path, f.kind, f.json()))
}

// failInit reports that INIT failed, and ends the program.
func failInit(f *failure) { failEnvironment(apiBase+"/init/error", f) }

func failEnvironment(path string, f *failure) {
	logged(f.kind, ": ", f.message.string()).written()
	if settings.api != "" {
		judge(path, exchange("POST", path, f.kind, f.json()))
	}
	exit(1)
}

// judge ends the program if an answer to POST shows that the environment is broken. It logs a refusal (400, 403,
// 410: the event is already over).
func judge(path string, response *httpwire.Response) {
	switch {
	case response.Status >= 200 && response.Status < 300:
	case response.Status == 400, response.Status == 403, response.Status == 410, response.Status == 413:
		answered("POST ", path, response).add("; going on").written()
	default:
		die(answered("POST ", path, response))
	}
}

func invocationPath(verb string) string {
	t := in(api.path[:])
	return t.add(apiBase, "/invocation/", current.id, verb).string()
}

// exchange sends one request and returns its response, which is valid until the next exchange. It ends the program
// if there is no response.
func exchange(method, path, errorType string, body []byte) *httpwire.Response {
	r := runtimeapi.Request{Method: method, Path: path, ErrorType: errorType, Body: body}
	if method != "GET" {
		r.InvocationID = current.attempt
	}
	response, err := api.Exchange(r)
	if err != nil {
		die(logged(method, " ", path, " at ", settings.api, ": ").add(reason(err)))
	}
	return response
}

// exchangePatiently sends a GET that may be answered after hours.
func exchangePatiently(path string) *httpwire.Response {
	api.socket.patient = true
	response := exchange("GET", path, "", nil)
	api.socket.patient = false
	return response
}

// reason returns the text of an error without allocating memory.
func reason(err error) string {
	switch e := err.(type) { //nolint:errorlint // these are never wrapped
	case httpwire.SyntaxError:
		return string(e)
	case *httpwire.NoResponseError:
		if errno, ok := e.Err.(syscall.Errno); ok { //nolint:errorlint // never wrapped
			return meaning(errno)
		}
		return "the connection was closed without a response"
	case syscall.Errno:
		return meaning(e)
	case addressError:
		return string(e)
	}
	return "the connection was closed in the middle of a response"
}

// answered returns the log line about an unexpected status.
func answered(method, path string, response *httpwire.Response) *text {
	line := logged(method, path, " answered ").int(int64(response.Status))
	if body := response.Body; len(body) > 0 {
		line.add(": ").quoted(asString(body[:min(len(body), 200)]))
	}
	return line
}
