package main

import (
	"github.com/twinstart/twinstart/runtime/httpwire"
	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

// stream is a response that is sent while the handler writes it. The handler asks for it with the line "<request
// id> <content type>" in the file that TWINSTART_STREAM names. See docs/handler-contract.md and
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming.
var stream struct {
	requests, entrance int // read and write end of the pipe that TWINSTART_STREAM names
	open               bool
	broken             error // the error after which further output is dropped
	line               [256]byte
	n                  int
	variable           [96]byte
	contentType        [128]byte
	trailers           [2]httpwire.Field
	errorBody          [192 << 10]byte
}

const (
	headerMode        = "Lambda-Runtime-Function-Response-Mode"
	headerErrorBody   = "Lambda-Runtime-Function-Error-Body"
	defaultStreamType = "application/octet-stream"
)

// offerStream makes the pipe and sets TWINSTART_STREAM for handlers.
func offerStream() *failure {
	readEnd, writeEnd, errno := pipe(nonBlocking)
	if errno != 0 {
		return cannotStart(errno)
	}
	stream.requests, stream.entrance = readEnd, writeEnd
	t := in(stream.variable[:])
	t.add("TWINSTART_STREAM=", self).int(int64(writeEnd)).byte(0)
	inheritString(t.string())
	return nil
}

// hearStreamRequest reads a request and starts the stream if the request is for the current event. A process that
// an earlier event left behind may send one too.
func hearStreamRequest() {
	n, _ := read(stream.requests, stream.line[stream.n:])
	stream.n += n
	for {
		line, rest, complete := cut(asString(stream.line[:stream.n]), '\n')
		if !complete {
			if stream.n == len(stream.line) {
				stream.n = 0
			}
			return
		}
		id, contentType, _ := cut(line, ' ')
		if id == current.id && !stream.open {
			startStream(contentType)
		}
		stream.n = copy(stream.line[:], rest)
	}
}

// startStream sends the head of the response and the output so far.
func startStream(contentType string) {
	t := in(stream.contentType[:])
	if !validFieldValue(contentType) || len(contentType) > len(stream.contentType) {
		contentType = defaultStreamType
	}
	header := append(api.header[:0], agent,
		httpwire.Field{Name: "Content-Type", Value: t.add(contentType).string()},
		httpwire.Field{Name: headerMode, Value: "streaming"},
		httpwire.Field{Name: "Trailer", Value: headerErrorType + ", " + headerErrorBody})
	if current.attempt != "" {
		header = append(header, httpwire.Field{Name: runtimeapi.HeaderInvocationID, Value: current.attempt})
	}
	api.request = httpwire.Request{Method: "POST", Target: invocationPath("/response"), Header: header}
	stream.open, stream.broken = true, api.Client.Open(&api.request)
	passOn()
}

func validFieldValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}

// passOn sends the part of the response that has arrived.
func passOn() {
	if stream.broken == nil {
		stream.broken = api.Client.Chunk(response.memory[:response.n])
	}
	response.n = 0
}

// endStream ends the response of the current event. If there was a failure, it sends it in trailers.
func endStream(f *failure) {
	trailers := stream.trailers[:0]
	if f != nil {
		logged(current.id, ": ", f.kind, ": ", f.message.string()).written()
		body := in(stream.errorBody[:])
		trailers = append(trailers, httpwire.Field{Name: headerErrorType, Value: f.kind},
			httpwire.Field{Name: headerErrorBody, Value: body.base64(f.json()).string()})
	}
	stream.open = false
	path := invocationPath("/response")
	if stream.broken == nil {
		var answer *httpwire.Response
		if answer, stream.broken = api.Client.Finish(trailers); stream.broken == nil {
			judge(path, answer)
			return
		}
	}
	logged("POST ", path, ": ").add(reason(stream.broken)).add("; going on").written()
}
