package api_test

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// The limits count bytes. A payload as large as the limit is accepted, with and without Content-Length.
func TestPayloadsUpToTheLimit(t *testing.T) {
	server := serve(t, newFunctions(t))
	for _, test := range []struct {
		kind   string
		size   int
		status int
	}{{"RequestResponse", arm.MaxPayload, 200}, {"RequestResponse", arm.MaxPayload + 1, 413}, {"Event", arm.MaxAsyncPayload, 202}, {"Event", arm.MaxAsyncPayload + 1, 413}} {
		for _, chunked := range []bool{false, true} {
			var body io.Reader = strings.NewReader(`"` + strings.Repeat("x", test.size-2) + `"`)
			if chunked {
				body = io.MultiReader(body)
			}
			if got := send(t, server, "POST /F/invocations", body, api.HeaderType, test.kind); got.status != test.status {
				t.Errorf("%s, %d bytes, chunked %v: %d %.100s", test.kind, test.size, chunked, got.status, got.body)
			}
		}
	}
}

func TestThrottling(t *testing.T) {
	f := newFunctions(t)
	f.Run = func(double.Run) double.Answer {
		return double.Answer{Error: api.Throttled("ReservedFunctionConcurrentInvocationLimitExceeded")}
	}
	got := send(t, serve(t, f), "POST /F/invocations", strings.NewReader("{}"))
	if got.status != 429 || got.header.Get("X-Amzn-Errortype") != "TooManyRequestsException" || !strings.Contains(got.body, `"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded"`) || got.header.Get("Retry-After") == "" {
		t.Errorf("got %+v", got)
	}
}

// An event runs three times if its function fails. An event that is throttled is tried until it runs.
func TestEventsAreTriedAgain(t *testing.T) {
	f := newFunctions(t)
	ran := make(chan string, 9)
	throttle := true
	f.Run = func(r double.Run) double.Answer {
		ran <- string(r.Payload)
		if throttle {
			throttle = false
			return double.Answer{Error: api.Throttled("ReservedFunctionConcurrentInvocationLimitExceeded")}
		}
		return double.Answer{FunctionError: `"failed"`}
	}
	server := httptest.NewServer(api.HandlerThatRetries(f, 0, 0))
	t.Cleanup(server.Close)
	send(t, server, "POST /F/invocations", strings.NewReader(`"e"`), api.HeaderType, "Event")
	for range 4 {
		if got := <-ran; got != `"e"` {
			t.Errorf("got %s", got)
		}
	}
	select {
	case <-ran:
		t.Error("after one throttling and three failures the event was tried again")
	case <-time.After(100 * time.Millisecond):
	}
}

func TestAnswersOfAnInvocation(t *testing.T) {
	server := serve(t, newFunctions(t))
	got := send(t, server, "POST /F/invocations?Qualifier=1", strings.NewReader(`"fail"`), api.HeaderLogType, "Tail")
	log, err := base64.StdEncoding.DecodeString(got.header.Get(api.HeaderLogResult))
	if got.header.Get(api.HeaderFunctionError) != "Unhandled" || got.header.Get(api.HeaderVersion) != "1" || err != nil || string(log) != "a log line\n" {
		t.Errorf("got %+v", got)
	}
	got = send(t, server, "POST /F/invocations", strings.NewReader(`"fine"`))
	if got.header.Get(api.HeaderFunctionError) != "" || got.header.Get(api.HeaderVersion) != api.Latest || got.header.Get(api.HeaderLogResult) != "" {
		t.Errorf("got %+v", got)
	}
	for kind, status := range map[string]int{"Event": 202, "DryRun": 204} {
		if got := send(t, server, "POST /F/invocations", strings.NewReader(`{}`), api.HeaderType, kind); got.status != status || got.body != "" {
			t.Errorf("%s: %+v", kind, got)
		}
	}
}

// An unmodified SDK must receive a streamed response in pieces, a function's error, and the tail of the log.
func TestInvokeWithResponseStream(t *testing.T) {
	d := newFunctions(t)
	server := httptest.NewServer(api.Handler(d))
	defer server.Close()
	client := lambda.New(lambda.Options{HTTPClient: plainBodies{}, BaseEndpoint: &server.URL, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("lab", "lab", "")})
	for _, c := range []struct{ event, want, code string }{{`"` + strings.Repeat("x", 100_000) + `"`, "", ""}, {`"fail"`, `"failed"`, "Unhandled"}} {
		out, err := client.InvokeWithResponseStream(t.Context(), &lambda.InvokeWithResponseStreamInput{FunctionName: aws.String("F"), Payload: []byte(c.event), LogType: types.LogTypeTail})
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		pieces, end := 0, types.InvokeWithResponseStreamCompleteEvent{}
		for e := range out.GetStream().Events() {
			switch e := e.(type) {
			case *types.InvokeWithResponseStreamResponseEventMemberPayloadChunk:
				got = append(got, e.Value.Payload...)
				pieces++
			case *types.InvokeWithResponseStreamResponseEventMemberInvokeComplete:
				end = e.Value
			}
		}
		log, err := base64.StdEncoding.DecodeString(aws.ToString(end.LogResult))
		if err != nil || string(log) != "a log line\n" || aws.ToString(end.ErrorCode) != c.code || aws.ToString(end.ErrorDetails) != c.want || out.GetStream().Err() != nil {
			t.Errorf("%.10s: %+v, log %q, %v, %v", c.event, end, log, err, out.GetStream().Err())
		}
		if c.code == "" && (string(got) != c.event || pieces != 2) || c.code != "" && pieces > 0 {
			t.Errorf("%.10s: %d bytes in %d pieces", c.event, len(got), pieces)
		}
	}
	_, err := client.InvokeWithResponseStream(t.Context(), &lambda.InvokeWithResponseStreamInput{FunctionName: aws.String("none")})
	var absent *types.ResourceNotFoundException
	if !errors.As(err, &absent) {
		t.Errorf("got %v", err)
	}
}

// plainBodies is a client with which smithy-go loses no answer that comes at once: see HTTPClient of package account.
type plainBodies struct{}

func (plainBodies) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return http.DefaultClient.Do(r)
}
