package httpwire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// replay is a server that answers every connection with the same bytes and keeps what it receives.
type replay struct {
	answer string
	rest   string
	sent   bytes.Buffer
}

func (r *replay) dial() (io.ReadWriteCloser, error) {
	r.rest = r.answer
	return r, nil
}

func (r *replay) Read(b []byte) (int, error) {
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (r *replay) Write(b []byte) (int, error) { return r.sent.Write(b) }
func (r *replay) Close() error                { return nil }

// TestMemory checks that a client with a Memory never allocates, for any answer.
func TestMemory(t *testing.T) {
	answers := map[string]string{
		"length":        "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\n12345",
		"chunks":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n",
		"1xx":           "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
		"to the end":    "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 10_000),
		"long head":     "HTTP/1.1 200 OK\r\n" + strings.Repeat("a:\r\n", 16_000) + "\r\n",
		"too long head": "HTTP/1.1 200 OK\r\n" + strings.Repeat("a:\r\n", 17_000) + "\r\n",
		"one long line": "HTTP/1.1 200 OK\r\na: " + strings.Repeat("b", 70_000),
		"too long body": "HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n",
		"nothing":       "",
		"not HTTP":      "hello\r\n\r\n",
		"no length":     "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"cut short":     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n123",
		"bad chunk":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
		"no chunk end":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
		"two codings":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"bad field":     "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
		"switching":     "HTTP/1.1 101 Switching Protocols\r\n\r\n",
	}
	payload, header := make([]byte, 40<<10), []Field{{"User-Agent", "x"}}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			server := &replay{answer: answer}
			server.sent.Grow(1 << 20)
			memory, body := new(Memory), make([]byte, 100_000)
			client := Client{Host: "api", Dial: server.dial}
			client.Use(memory, body)
			plain := Client{Host: "api", Dial: server.dial}
			want, wantErr := plain.Do(&Request{Method: "POST", Target: "/"})
			allocations := testing.AllocsPerRun(10, func() {
				server.sent.Reset()
				response, err := client.Do(&Request{Method: "POST", Target: "/", Header: header, Body: payload})
				if name == "too long body" {
					if !errors.Is(err, SyntaxError("body longer than its limit")) {
						t.Errorf("got %v", err)
					}
				} else if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(response.Body, want.Body) {
					t.Errorf("got %v, want %v", err, wantErr)
				}
				if err := client.Open(&Request{Method: "POST", Target: "/"}); err != nil {
					t.Error(err)
				}
				_ = client.Chunk(payload)
				_, _ = client.Finish([]Field{{"A", "b"}})
			})
			if allocations != 0 {
				t.Errorf("%v allocations, want none", allocations)
			}
		})
	}
}

// TestStream checks the bytes of a request that is sent in pieces.
func TestStream(t *testing.T) {
	server := &replay{answer: "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"}
	client := Client{Host: "api", Dial: server.dial}
	if err := client.Open(&Request{Method: "POST", Target: "/r", Header: []Field{{"Trailer", "Why"}}}); err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{"one", "", strings.Repeat("2", inline+1)} {
		if err := client.Chunk([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	response, err := client.Finish([]Field{{"Why", "not"}})
	if err != nil || response.Status != 202 {
		t.Fatal(response, err)
	}
	want := "POST /r HTTP/1.1\r\nHost: api\r\nTrailer: Why\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"3\r\none\r\n4000\r\n" + strings.Repeat("2", inline) + "\r\n1\r\n2\r\n0\r\nWhy: not\r\n\r\n"
	if got := server.sent.String(); got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}
