package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"github.com/twinstart/twinstart/arm"
)

// The headers of Invoke. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
const (
	headerRequestID     = "X-Amzn-Requestid"
	headerType          = "X-Amz-Invocation-Type"
	headerLogType       = "X-Amz-Log-Type"
	headerLogResult     = "X-Amz-Log-Result"
	headerClientContext = "X-Amz-Client-Context"
	headerFunctionError = "X-Amz-Function-Error"
	headerVersion       = "X-Amz-Executed-Version"
	headerTrace         = "X-Amzn-Trace-Id"
)

// Latest is the version that can be changed. All other versions are frozen.
const Latest = "$LATEST"

// The states of a function. A function becomes Inactive if it is not called for weeks.
const (
	Active   = "Active"
	Inactive = "Inactive"
	Pending  = "Pending"
	Failed   = "Failed"
)

func (s server) invoke(w http.ResponseWriter, r *http.Request) {
	in := Invocation{RequestID: NewID(), TraceID: r.Header.Get(headerTrace), Counts: r.Header.Get(arm.HeaderCounts) != ""}
	w.Header().Set(headerRequestID, in.RequestID)
	kind := r.Header.Get(headerType)
	function, err := s.invocation(r, kind, &in)
	switch {
	case err != nil:
		Fail(w, err)
	case kind == "" || kind == "RequestResponse":
		s.requestResponse(w, r, function, in)
	case kind == "Event":
		go s.queued(function.Reference(), in)
		w.WriteHeader(http.StatusAccepted)
	case kind == "DryRun":
		w.WriteHeader(http.StatusNoContent)
	default:
		Fail(w, Invalid("InvocationType "+strconv.Quote(kind)+" is unknown: use RequestResponse, Event or DryRun"))
	}
}

// invocation reads a request. It returns the function that is called.
func (s server) invocation(r *http.Request, kind string, in *Invocation) (function Configuration, err error) {
	called, of, err := s.named(r.PathValue("name"), r.URL.Query().Get("Qualifier"))
	if err == nil {
		function, err = s.backend.Function(of)
	}
	if err != nil {
		return function, err
	}
	if _, qualifier, ok := strings.Cut(called, ":"); ok {
		in.ARN = strings.TrimSuffix(function.ARN, ":"+function.Version) + ":" + qualifier
	}
	if in.Payload, err = payload(r, kind); err == nil {
		in.ClientContext, err = clientContext(r)
	}
	return function, err
}

func (s server) requestResponse(w http.ResponseWriter, r *http.Request, c Configuration, in Invocation) {
	// As on AWS, an invocation goes on if its caller goes away.
	result, err := s.backend.Invoke(c.Reference(), in)
	if err != nil {
		Fail(w, err)
		return
	}
	h, log := w.Header(), ""
	h.Set(headerVersion, c.Version)
	h.Set(arm.HeaderLogStream, result.LogStream)
	if strings.EqualFold(r.Header.Get(headerLogType), "Tail") {
		log = base64.StdEncoding.EncodeToString(result.Log)
	}
	if strings.HasSuffix(r.URL.Path, streamPath) {
		stream(w, result, log)
		return
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(result.Payload)))
	if result.FunctionError != "" {
		h.Set(headerFunctionError, result.FunctionError)
	}
	if log != "" {
		h.Set(headerLogResult, log)
	}
	write(w, result.Payload)
}

// queued runs an asynchronous event. If the function fails, queued tries twice more. While the invocation is throttled,
// it keeps trying for six hours.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
func (s server) queued(name string, in Invocation) {
	wait, retries := time.Second, s.retries
	for end := time.Now().Add(6 * time.Hour); time.Now().Before(end); {
		result, err := s.backend.Invoke(name, in)
		var throttled *Error
		switch {
		case errors.As(err, &throttled) && throttled.Status == http.StatusTooManyRequests:
			time.Sleep(wait)
			wait = min(2*wait, 5*time.Minute)
		case err != nil || result.FunctionError == "" || len(retries) == 0:
			return
		default:
			time.Sleep(retries[0])
			retries = retries[1:]
		}
	}
}

func payload(r *http.Request, kind string) ([]byte, error) {
	limit := int64(arm.MaxPayload)
	if kind == "Event" {
		limit = arm.MaxAsyncPayload
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, errContent("reading the payload: " + err.Error())
	}
	if int64(len(body)) > limit {
		_, _ = io.CopyN(io.Discard, r.Body, 64<<20) // otherwise the caller would get a reset and not the answer
		return nil, NewError(http.StatusRequestEntityTooLarge, "RequestTooLargeException",
			fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", limit))
	}
	if len(body) == 0 { // as Lambda does
		body = []byte("{}")
	}
	var why string
	switch {
	case !utf8.Valid(body):
		why = "Invalid UTF-8" // encoding/json accepts it in a string
	case !json.Valid(body):
		why = "an event is a JSON value"
	default:
		return body, nil
	}
	return nil, errContent("Could not parse request body into json: Could not parse payload into json: " + why)
}

func clientContext(r *http.Request) (string, error) {
	text := r.Header.Get(headerClientContext)
	if text == "" {
		return "", nil
	}
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(text) > 3583 || strings.ContainsAny(string(decoded), "\r\n\x00") {
		return "", Invalid("X-Amz-Client-Context must be up to 3583 bytes of base64 that hold JSON on one line")
	}
	return string(decoded), nil
}

// streamPath is the end of the path of InvokeWithResponseStream.
const streamPath = "/response-streaming-invocations"

// streamPiece is the largest part of a response in one event of the stream, in bytes.
const streamPiece = 64 << 10

// stream answers InvokeWithResponseStream: the response in pieces, and then the result of the invocation. The lab waits
// for the whole response, so it sends all pieces together, and a response has at most 6 MB.
// https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html
func stream(w http.ResponseWriter, result Result, log string) {
	end := map[string]string{}
	if log != "" {
		end["LogResult"] = log
	}
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	var all bytes.Buffer
	if result.FunctionError != "" {
		end["ErrorCode"], end["ErrorDetails"] = result.FunctionError, string(result.Payload)
	} else {
		for piece := range slices.Chunk(result.Payload, streamPiece) {
			streamEvent(&all, "PayloadChunk", "application/octet-stream", piece)
		}
	}
	text, _ := json.Marshal(end)
	streamEvent(&all, "InvokeComplete", "application/json", text)
	write(w, all.Bytes())
}

// streamEvent appends an event in AWS's format. https://smithy.io/2.0/aws/amazon-eventstream.html
func streamEvent(to *bytes.Buffer, kind, contentType string, payload []byte) {
	event := eventstream.Message{Payload: payload}
	event.Headers.Set(":message-type", eventstream.StringValue("event"))
	event.Headers.Set(":event-type", eventstream.StringValue(kind))
	event.Headers.Set(":content-type", eventstream.StringValue(contentType))
	_ = eventstream.NewEncoder().Encode(to, event) // writes to a buffer do not fail
}
