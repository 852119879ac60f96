package runtimeapi

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func listen(t *testing.T) *Server {
	t.Helper()
	s, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// call sends a request on a new connection. If body is "", it is a GET.
func call(t *testing.T, s *Server, path, body string, header ...string) (status int, text string, h http.Header) {
	t.Helper()
	method := "POST"
	if body == "" {
		method = "GET"
	}
	r, err := http.NewRequest(method, "http://"+s.Address()+"/2018-06-01/runtime/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content), response.Header
}

func event(t *testing.T, s *Server) Event {
	t.Helper()
	return within(t, s, time.Minute)
}

func within(t *testing.T, s *Server, d time.Duration) Event {
	t.Helper()
	select {
	case e := <-s.Events():
		return e
	case <-time.After(d):
		t.Fatalf("no event within %v", d)
		return Event{}
	}
}

// begin calls GET /next and delivers an invocation. It returns the header of the answer.
func begin(t *testing.T, s *Server, in Invocation) http.Header {
	t.Helper()
	got := make(chan http.Header)
	go func() {
		_, body, h := call(t, s, "invocation/next", "")
		if body != string(in.Payload) {
			t.Errorf("got %q, want %q", body, in.Payload)
		}
		got <- h
	}()
	if e := event(t, s); e.Kind != Next || time.Since(e.At) > time.Minute {
		t.Errorf("got %+v", e)
	}
	select {
	case s.Deliveries() <- Delivery{in, make(chan time.Time, 1)}:
	case <-t.Context().Done():
		t.Error(t.Context().Err())
	}
	return <-got
}

func TestInvocation(t *testing.T) {
	s := listen(t)
	h := begin(t, s, Invocation{RequestID: "one", Deadline: time.UnixMilli(1234), ARN: "arn", TraceID: "trace", ClientContext: `{"a":1}`, Payload: []byte(`{"x":"y"}`)})
	for name, want := range map[string]string{headerRequestID: "one", headerDeadline: "1234", headerARN: "arn", headerTraceID: "trace", headerClientContext: `{"a":1}`, "Content-Type": "application/json"} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if status, _, _ := call(t, s, "invocation/one/response", "answer"); status != 202 {
		t.Errorf("got %d", status)
	}
	if e := event(t, s); e.Kind != Response || string(e.Body) != "answer" || e.RequestID != "one" {
		t.Errorf("got %+v", e)
	}
	begin(t, s, Invocation{RequestID: "two"})
	if status, _, _ := call(t, s, "invocation/two/error", `{"errorType":"E"}`, "lambda-runtime-function-error-type", "Runtime.E"); status != 202 {
		t.Errorf("got %d", status)
	}
	if e := event(t, s); e.Kind != Failure || string(e.Body) != `{"errorType":"E"}` || e.ErrorType != "Runtime.E" {
		t.Errorf("got %+v", e)
	}
}

// Two invocations may have the same request ID. If the bootstrap sends the Invocation-Id back, its response or error
// belongs to the invocation with that ID.
func TestLateOutcome(t *testing.T) {
	s := listen(t)
	late := begin(t, s, Invocation{RequestID: "same"}).Get(headerInvocationID)
	s.Reset() // the lab ends an invocation that has timed out
	now := begin(t, s, Invocation{RequestID: "same"}).Get(headerInvocationID)
	if late == "" || now == "" || late == now {
		t.Fatalf("Invocation-Ids %q and %q", late, now)
	}
	for _, verb := range []string{"response", "error"} {
		if status, text, _ := call(t, s, "invocation/same/"+verb, "late", headerInvocationID, late); status != 410 || !strings.Contains(text, "ErrorRuntimeInvokeTimeout") {
			t.Errorf("a late %s: %d %s", verb, status, text)
		}
	}
	if status, _, _ := call(t, s, "invocation/same/response", "in time", headerInvocationID, now); status != 202 {
		t.Errorf("in time: %d", status)
	}
	if e := event(t, s); e.Kind != Response || string(e.Body) != "in time" {
		t.Errorf("got %+v", e)
	}
	begin(t, s, Invocation{RequestID: "next"})
	if status, _, _ := call(t, s, "invocation/next/response", "without"); status != 202 {
		t.Errorf("from a client that sends no Invocation-Id: %d", status)
	}
}

func TestInitError(t *testing.T) {
	s := listen(t)
	if status, _, _ := call(t, s, "init/error", `{}`, headerErrorType, "Runtime.NoSuchHandler"); status != 202 {
		t.Errorf("got %d", status)
	}
	if e := event(t, s); e.Kind != InitError || e.ErrorType != "Runtime.NoSuchHandler" {
		t.Errorf("got %+v", e)
	}
	s.Reset()
	begin(t, s, Invocation{RequestID: "one"})
	if status, text, _ := call(t, s, "init/error", `{}`); status != 403 || !strings.Contains(text, "InvalidStateTransition") {
		t.Errorf("after INIT: %d %s", status, text)
	}
}

func TestWrongStates(t *testing.T) {
	s := listen(t)
	if status, text, _ := call(t, s, "invocation/one/response", "x"); status != 400 || !strings.Contains(text, "InvalidRequestID") {
		t.Errorf("a response before the first invocation: %d %s", status, text)
	}
	begin(t, s, Invocation{RequestID: "one"})
	if status, _, _ := call(t, s, "invocation/two/response", "x"); status != 400 {
		t.Errorf("a response with another request ID: %d", status)
	}
	if status, _, _ := call(t, s, "invocation/next", ""); status != 403 {
		t.Errorf("GET /next before the response: %d", status)
	}
	call(t, s, "invocation/one/response", "x")
	if status, _, _ := call(t, s, "invocation/one/response", "x"); status != 403 {
		t.Errorf("second response: %d", status)
	}
	if status, _, _ := call(t, s, "elsewhere", ""); status != 404 {
		t.Errorf("an unknown path: %d", status)
	}
}

func TestTooLargeThenError(t *testing.T) {
	s := listen(t)
	begin(t, s, Invocation{RequestID: "one"})
	for _, chunked := range []bool{false, true} {
		body := io.Reader(strings.NewReader(strings.Repeat("x", MaxResponse+1)))
		if chunked {
			body = io.MultiReader(body)
		}
		response, err := http.Post("http://"+s.Address()+prefix+"/invocation/one/response", "", body)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 413 {
			t.Errorf("chunked %v: %d", chunked, response.StatusCode)
		}
	}
	if e := event(t, s); e.Kind != TooLarge {
		t.Errorf("got %+v", e)
	}
	if status, _, _ := call(t, s, "invocation/one/error", `{}`, headerErrorType, "Function.ResponseSizeTooLarge"); status != 202 {
		t.Errorf("error after 413: %d", status)
	}
	if e := event(t, s); e.Kind != Failure {
		t.Errorf("got %+v", e)
	}
}

func TestStreamedResponseThatFails(t *testing.T) {
	s := listen(t)
	begin(t, s, Invocation{RequestID: "one"})
	c, err := net.Dial("tcp", s.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST %s/invocation/one/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n"+
		"Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n4\r\npart\r\n0\r\n"+
		"Lambda-Runtime-Function-Error-Type: Runtime.Half\r\nLambda-Runtime-Function-Error-Body: eyJhIjoxfQ==\r\n\r\n", prefix)
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || response.StatusCode != 202 {
		t.Fatalf("got %v, %v", response, err)
	}
	if e := event(t, s); e.Kind != Failure || e.ErrorType != "Runtime.Half" || string(e.Body) != `{"a":1}` {
		t.Errorf("got %+v", e)
	}
}

// The time of a request is the time when its first bytes were read, also if the rest arrives later. On a busy machine the
// server may read late, so the test tries longer and longer pauses.
func TestArrivalIsTheFirstByte(t *testing.T) {
	for pause := 50 * time.Millisecond; ; pause *= 2 {
		s := listen(t)
		c, err := net.Dial("tcp", s.Address())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "GET %s/invocation/next HTTP/1.1\r\n", prefix)
		time.Sleep(pause)
		rest := time.Now()
		fmt.Fprint(c, "Host: x\r\n\r\n")
		e := event(t, s)
		c.Close()
		if e.At.Before(rest) {
			return
		}
		if pause > 2*time.Second {
			t.Fatalf("the request arrived %v after its rest was sent, with a pause of %v before", e.At.Sub(rest), pause)
		}
	}
}

func TestLostNextIsAskedAgain(t *testing.T) {
	s := listen(t)
	c, err := net.Dial("tcp", s.Address())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "GET %s/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n", prefix)
	event(t, s)
	c.Close()
	for open := 1; open > 0; time.Sleep(time.Millisecond) { // until the server knows that the connection is closed
		s.mu.Lock()
		open = len(s.conns)
		s.mu.Unlock()
	}
	begin(t, s, Invocation{RequestID: "one", Payload: []byte("x")})
}

func TestRestore(t *testing.T) {
	plain := listen(t)
	for _, path := range []string{"restore/next", "restore/error", "../../2021-04-23/credentials"} {
		body := ""
		if path == "restore/error" {
			body = "{}"
		}
		if status, _, _ := call(t, plain, path, body); status != http.StatusNotFound {
			t.Errorf("%s without SnapStart: %d", path, status)
		}
	}
	for _, fails := range []bool{false, true} {
		s := listen(t)
		s.SnapStart("secret", []byte("{}"))
		refused := func(path, body string) {
			t.Helper()
			if status, text, _ := call(t, s, path, body); status != http.StatusForbidden || !strings.Contains(text, "InvalidStateTransition") {
				t.Errorf("%s: %d %s", path, status, text)
			}
		}
		refused("restore/error", "{}")
		answered := make(chan int)
		go func() {
			status, _, _ := call(t, s, "restore/next", "")
			answered <- status
		}()
		if e := event(t, s); e.Kind != Restore || time.Since(e.At) > time.Minute {
			t.Errorf("got %+v", e)
		}
		refused("init/error", "{}")
		refused("restore/error", "{}")
		refused("invocation/next", "")
		select {
		case status := <-answered:
			t.Errorf("restore/next answered %d before the restore", status)
		case <-time.After(20 * time.Millisecond):
		}
		s.Restore()
		if status := <-answered; status != http.StatusOK {
			t.Errorf("restore/next answered %d", status)
		}
		refused("restore/next", "")
		refused("init/error", "{}")
		if !fails {
			begin(t, s, Invocation{RequestID: "id", Payload: []byte("{}")})
			continue
		}
		if status, text, _ := call(t, s, "restore/error", `{"errorMessage":"no"}`, "Lambda-Runtime-Function-Error-Type", "Runtime.AfterRestoreError"); status != http.StatusAccepted || text != `{"status":"OK"}`+"\n" {
			t.Errorf("restore/error: %d %s", status, text)
		}
		if e := event(t, s); e.Kind != InitError || e.ErrorType != "Runtime.AfterRestoreError" || string(e.Body) != `{"errorMessage":"no"}` {
			t.Errorf("got %+v", e)
		}
		refused("invocation/next", "")
	}
}
