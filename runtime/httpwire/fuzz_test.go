package httpwire

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"testing"
)

// FuzzReceive compares Receive with net/http. If Receive accepts a response, net/http must read the same. If
// net/http accepts a response and writes it again in plain form, Receive must read the same.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nA: b\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 202\r\nconnection: keep-alive, x\r\ncontent-length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		var ours Response
		err := (&Client{rw: &stream{Reader: bytes.NewReader(input)}}).Receive(&ours)
		theirs, body, theirErr := reference(input)
		if err == nil {
			if theirErr != nil {
				if strings.Contains(theirErr.Error(), "too much non-data") {
					return // net/http limits the sum of chunk extensions, Receive limits each one
				}
				t.Fatalf("net/http refuses what Receive accepts: %v", theirErr)
			}
			same(t, &ours, theirs, body)
		}
		if theirErr != nil || theirs.StatusCode < 200 || theirs.StatusCode > 599 || len(input) > 16<<10 || !plain(theirs.Header) {
			return
		}
		var plainly bytes.Buffer
		theirs.ProtoMajor, theirs.ProtoMinor, theirs.Body = 1, 1, io.NopCloser(bytes.NewReader(body))
		if err := theirs.Write(&plainly); err != nil {
			return // for example, a body shorter than its length
		}
		again, body, err := reference(plainly.Bytes())
		if err != nil {
			return // net/http cannot read what it wrote, for example a length with a status that has no body
		}
		if err := (&Client{rw: &stream{Reader: bytes.NewReader(plainly.Bytes())}}).Receive(&ours); err != nil {
			t.Fatalf("Receive refuses what net/http wrote: %v: %q", err, plainly.Bytes())
		}
		same(t, &ours, again, body)
	})
}

// reference reads one final response with net/http.
func reference(input []byte) (*http.Response, []byte, error) {
	buffered := bufio.NewReader(bytes.NewReader(input))
	for {
		response, err := http.ReadResponse(buffered, nil)
		if err != nil {
			return nil, nil, err
		}
		if response.StatusCode >= 100 && response.StatusCode < 200 {
			continue
		}
		body, err := io.ReadAll(response.Body)
		return response, body, err
	}
}

// plain reports whether no value has a control character. net/http accepts control characters.
func plain(header http.Header) bool {
	for _, values := range header {
		for _, value := range values {
			if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				return false
			}
		}
	}
	return true
}

func same(t *testing.T, ours *Response, theirs *http.Response, body []byte) {
	t.Helper()
	if ours.Status != theirs.StatusCode {
		t.Fatalf("status %d, net/http reads %d", ours.Status, theirs.StatusCode)
	}
	if !bytes.Equal(ours.Body, body) {
		t.Fatalf("body %q, net/http reads %q", ours.Body, body)
	}
	for name, values := range theirs.Header {
		if got := ours.Header.Get(name); got != values[0] {
			t.Fatalf("%s is %q, net/http reads %q", name, got, values[0])
		}
	}
	if theirs.Close && !ours.Close {
		t.Fatal("net/http would close the connection")
	}
}

// FuzzChunked writes bodies in chunks with net/http's writer, and sends them in pieces.
func FuzzChunked(f *testing.F) {
	f.Add([]byte("{}"), uint16(1), uint16(1))
	f.Add(bytes.Repeat([]byte("0123456789"), 1000), uint16(300), uint16(17))
	f.Add(bytes.Repeat([]byte("\r\n0\r\n\r\n"), 1000), uint16(4096), uint16(4095))
	f.Fuzz(func(t *testing.T, body []byte, chunk, piece uint16) {
		var b bytes.Buffer
		b.WriteString("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		w := httputil.NewChunkedWriter(&b)
		for rest := range slices.Chunk(body, int(chunk)+1) {
			w.Write(rest)
		}
		w.Close()
		b.WriteString("\r\n")
		const next = "HTTP/1.1 202 Accepted\r\nContent-Length: 1\r\n\r\nx"
		b.WriteString(next)
		c := &Client{rw: &stream{Reader: &pieces{&b, int(piece) + 1}}}
		var r Response
		if err := c.Receive(&r); err != nil || !bytes.Equal(r.Body, body) || r.Close {
			t.Fatalf("read %d bytes, %v, want %d", len(r.Body), err, len(body))
		}
		if err := c.Receive(&r); err != nil || r.Status != 202 || string(r.Body) != "x" {
			t.Fatalf("then read %d %q, %v", r.Status, r.Body, err)
		}
	})
}

// pieces is a reader that returns at most size bytes a read.
type pieces struct {
	r    io.Reader
	size int
}

func (p *pieces) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.size)]) }
