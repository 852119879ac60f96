//go:build unix

package conformance

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// Wire is how a response is sent. The zero value is the simplest: Content-Length, one write, connection kept alive.
type Wire struct {
	Chunk     int    // bytes per chunk of Transfer-Encoding: chunked; 0 sends Content-Length
	Split     int    // bytes per segment, so that the client reads each separately; 0 sends all at once
	LowerCase bool   // header names in lower case
	Interim   bool   // 100 and 103 responses first
	Close     bool   // send Connection: close, and close
	Drop      bool   // close after the response without Connection: close
	Leave     int    // send this many bytes of the response, then end the API and its listener; -1 sends none
	Raw       string // send this instead of the response, then close the connection
}

// splitPause lets a segment reach the client before the next one is sent, so that the client does not read both at
// once.
const splitPause = 200 * time.Microsecond

// field is one header field. A list of them keeps order and case.
type field struct{ name, value string }

func (w Wire) render(status int, fields []field, body []byte) []byte {
	if w.Raw != "" {
		return []byte(w.Raw)
	}
	name := func(s string) string {
		if w.LowerCase {
			return strings.ToLower(s)
		}
		return s
	}
	var b []byte
	if w.Interim {
		b = append(b, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"...)
	}
	b = fmt.Appendf(b, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	for _, f := range fields {
		b = fmt.Appendf(b, "%s: %s\r\n", name(f.name), f.value)
	}
	if w.Close {
		b = fmt.Appendf(b, "%s: close\r\n", name("Connection"))
	}
	if w.Chunk == 0 {
		b = fmt.Appendf(b, "%s: %d\r\n\r\n", name("Content-Length"), len(body))
		return append(b, body...)
	}
	b = fmt.Appendf(b, "%s: chunked\r\n\r\n", name("Transfer-Encoding"))
	for len(body) > 0 {
		n := min(w.Chunk, len(body))
		b = fmt.Appendf(b, "%x\r\n", n)
		b = append(append(b, body[:n]...), "\r\n"...)
		body = body[n:]
	}
	return append(b, "0\r\n\r\n"...)
}

// write sends one response and reports whether the connection can carry another.
func (w Wire) write(conn net.Conn, b []byte) bool {
	if w.Leave != 0 {
		b = b[:min(max(w.Leave, 0), len(b))]
	}
	step := w.Split
	if step == 0 {
		step = len(b)
	}
	for len(b) > 0 {
		n := min(step, len(b))
		if _, err := conn.Write(b[:n]); err != nil {
			return false
		}
		if b = b[n:]; len(b) > 0 {
			time.Sleep(splitPause)
		}
	}
	return !w.Close && !w.Drop && w.Leave == 0 && w.Raw == ""
}

// fields are the header fields of GET /next.
func (e Event) fields() []field {
	deadline := e.Deadline
	if deadline == 0 {
		deadline = time.Minute
	}
	fields := []field{
		{"Date", "Sat, 21 Nov 2026 12:00:00 GMT"},
		{"Content-Type", "application/json"},
		{"Lambda-Runtime-Aws-Request-Id", e.ID},
		{"Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(deadline).UnixMilli())},
		{"Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:conformance" + e.Qualifier},
	}
	if e.Nonce != "" {
		fields = append(fields, field{"Lambda-Runtime-Invocation-Id", e.Nonce})
	}
	for name, value := range e.Header {
		fields = append(fields, field{"Lambda-Runtime-" + name, value})
	}
	return fields
}
