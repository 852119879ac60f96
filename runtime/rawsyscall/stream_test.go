package main

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestStream(t *testing.T) {
	e := start(t, `. "$TWINSTART_LIB"
run() {
	case $1 in
		plain) printf plain ;;
		late) printf 'before '; lambda_stream text/plain; printf 'first '; read -r -t 5 _ <>"$LAMBDA_TASK_ROOT/go"; printf second ;;
		http) lambda_stream_http '{"statusCode":201}'; printf body ;;
		fails) lambda_stream; printf part; echo "broke off" >&2; return 3 ;;
		dies) lambda_stream; printf part; kill -9 $$ ;;
		slow) lambda_stream; printf part; sleep 60 ;;
		large) lambda_stream; cat ;;
		wrong) LAMBDA_RUNTIME_AWS_REQUEST_ID=other lambda_stream; printf whole ;;
		child) sh -c 'echo "$LAMBDA_RUNTIME_AWS_REQUEST_ID text/html" >"$TWINSTART_STREAM"; printf child' ;;
	esac
}
`)
	plain := func() {
		t.Helper()
		if o := e.api.invoke(t, event{body: "plain"}); o.verb != "response" || string(o.body) != "plain" || o.header.Get(headerMode) != "" {
			t.Errorf("after a stream: %s %q %v", o.verb, o.body, o.header)
		}
	}
	// What the handler writes before a pause must arrive before the end of the pause: the handler waits until this
	// test has read it.
	fifo(t, e.root+"/go")
	late := make(chan outcome)
	go func() { late <- e.api.invoke(t, event{body: "late"}) }()
	time.Sleep(300 * time.Millisecond)
	released := time.Now()
	writeFIFO(t, e.root+"/go")
	o := <-late
	if string(o.body) != "before first second" || o.header.Get("Content-Type") != "text/plain" || o.header.Get(headerMode) != "streaming" {
		t.Errorf("got %q, %v", o.body, o.header)
	}
	if len(o.pieces) < 2 || !o.pieces[0].at.Before(released) {
		t.Errorf("nothing left before the end: %v", o.pieces)
	}
	if len(o.done) != 0 && o.done.Get(headerErrorType) != "" {
		t.Errorf("trailers: %v", o.done)
	}
	plain()

	o = e.api.invoke(t, event{body: "http"})
	if string(o.body) != `{"statusCode":201}`+strings.Repeat("\x00", 8)+"body" ||
		o.header.Get("Content-Type") != "application/vnd.awslambda.http-integration-response" {
		t.Errorf("got %q, %v", o.body, o.header)
	}
	large := strings.Repeat("0123456789abcdef", 400_000)
	if o := e.api.invoke(t, event{body: "large" + large}); o.verb != "response" || len(o.body) != 0 {
		t.Errorf("got %s of %d bytes, want none", o.verb, len(o.body)) // $1 is longer than "large"
	}
	o = e.api.invoke(t, event{body: "child"})
	if string(o.body) != "child" || o.header.Get("Content-Type") != "text/html" {
		t.Errorf("got %q, %v", o.body, o.header)
	}
	o = e.api.invoke(t, event{body: "wrong"})
	if string(o.body) != "whole" || o.header.Get(headerMode) != "" {
		t.Errorf("a request for another event was heard: %q, %v", o.body, o.header)
	}
	for body, want := range map[string]string{"fails": "broke off", "dies": "signal 9", "slow": "timed out"} {
		event := event{body: body}
		if body == "slow" {
			event.deadline = time.Second
		}
		o := e.api.invoke(t, event)
		encoded, err := base64.StdEncoding.DecodeString(o.done.Get(headerErrorBody))
		if err != nil {
			t.Error(err)
		}
		var report struct{ ErrorMessage, ErrorType string }
		if err := json.Unmarshal(encoded, &report); err != nil {
			t.Errorf("%s: %v: %q", body, err, encoded)
		}
		if string(o.body) != "part" || !strings.Contains(report.ErrorMessage, want) || o.done.Get(headerErrorType) != report.ErrorType || report.ErrorType == "" {
			t.Errorf("%s: got %q, %v, %+v", body, o.body, o.done, report)
		}
		plain()
	}
}

// TestStreamLarge checks that a stream may be longer than any buffer.
func TestStreamLarge(t *testing.T) {
	for _, isolation := range []string{"worker", "process"} {
		t.Run(isolation, func(t *testing.T) {
			t.Parallel()
			e := start(t, `run() { . "$TWINSTART_LIB"; lambda_stream; local i; for ((i = 0; i < 5; i++)); do cat /dev/stdin <"/proc/self/fd/0"; done; }
`, "TWINSTART_ISOLATION="+isolation)
			body := strings.Repeat("0123456789abcdef", 300_000)
			o := e.api.invoke(t, event{body: body})
			if string(o.body) != strings.Repeat(body, 5) {
				t.Errorf("got %d bytes, want %d", len(o.body), 5*len(body))
			}
		})
	}
}

// TestStreamBroken closes the connection in the middle of a stream. The function and later events must go on.
func TestStreamBroken(t *testing.T) {
	e := start(t, `. "$TWINSTART_LIB"
run() { [[ $1 != stream ]] || { lambda_stream; local i; for ((i = 0; i < 300; i++)); do printf %010000d 0; done; echo through >&2; }; printf %s "$1"; }
`)
	for _, body := range []string{"1", "stream", "2", "stream", "3"} {
		o := e.api.invoke(t, event{id: "id-" + body, body: body, hangUp: body == "stream"})
		if body != "stream" && (o.verb != "response" || string(o.body) != body) {
			t.Errorf("after a broken stream: %s %q", o.verb, o.body)
		}
	}
	if log := e.stderr.String(); strings.Count(log, "through\n") != 2 || strings.Count(log, "; going on\n") != 2 {
		t.Errorf("the log is %q", log)
	}
}

func fifo(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeFIFO writes to the FIFO, so that its reader goes on.
func writeFIFO(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("go\n"); err != nil {
		t.Fatal(err)
	}
}
