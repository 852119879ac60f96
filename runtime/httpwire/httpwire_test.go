package httpwire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// stream is a connection with fixed input. It keeps what is sent to it.
type stream struct {
	io.Reader
	sent bytes.Buffer
}

func (s *stream) Write(b []byte) (int, error) { return s.sent.Write(b) }

func (s *stream) Close() error { return nil }

// receive reads one response twice, in one read and byte by byte, and checks that both give the same.
func receive(t *testing.T, input string) (*Response, error) {
	t.Helper()
	var whole, bytewise Response
	err := (&Client{rw: &stream{Reader: strings.NewReader(input)}}).Receive(&whole)
	other := (&Client{rw: &stream{Reader: iotest.OneByteReader(strings.NewReader(input))}}).Receive(&bytewise)
	if (err == nil) != (other == nil) || err == nil && (whole.Status != bytewise.Status || !bytes.Equal(whole.Body, bytewise.Body)) {
		t.Errorf("in one read: %d %q %v; byte by byte: %d %q %v", whole.Status, whole.Body, err, bytewise.Status, bytewise.Body, other)
	}
	return &whole, err
}

func TestReceive(t *testing.T) {
	for _, test := range []struct {
		name   string
		input  string
		status int
		body   string
		close  bool
	}{
		{"content length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}", false},
		{"no reason", "HTTP/1.1 202\r\nContent-Length: 0\r\n\r\n", 202, "", false},
		{"lower case", "HTTP/1.1 200 OK\r\ncontent-length:2\r\nconnection: Close\r\n\r\n{}", 200, "{}", true},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0A\r\nbcdefghijk\r\n0\r\n\r\n", 200, "abcdefghijk", false},
		{"chunk extension", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;x=\"y\"\r\na\r\n0  \r\n\r\n", 200, "a", false},
		{"trailers", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\n", 200, "a", false},
		{"chunked and a length", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, "", true},
		{"to the end of the stream", "HTTP/1.1 200 OK\r\n\r\nabc", 200, "abc", true},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", 200, "a", true},
		{"HTTP/1.0 kept alive", "HTTP/1.0 200 OK\r\nConnection: x, keep-alive\r\nContent-Length: 1\r\n\r\na", 200, "a", false},
		{"interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103\r\nA: b\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", 202, "", false},
		{"no content", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", false},
		{"same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 200, "a", false},
		{"bytes above ASCII", "HTTP/1.1 200 \xff\r\nA: \xff\xc3\xa9\r\nContent-Length: 1\r\n\r\n\x00", 200, "\x00", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := receive(t, test.input)
			if err != nil {
				t.Fatal(err)
			}
			if r.Status != test.status || string(r.Body) != test.body || r.Close != test.close {
				t.Errorf("got %d %q, close %t; want %d %q, %t", r.Status, r.Body, r.Close, test.status, test.body, test.close)
			}
		})
	}
}

func TestReceiveRefuses(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, input := range map[string]string{
		"another protocol":           "SSH-2.0-OpenSSH\r\n\r\n",
		"HTTP/2":                     "HTTP/2.0 200 OK\r\n\r\n",
		"no status":                  "HTTP/1.1 \r\n\r\n",
		"status is not a number":     "HTTP/1.1 2x0 OK\r\n\r\n",
		"status with four digits":    "HTTP/1.1 2000 OK\r\n\r\n",
		"status out of range":        "HTTP/1.1 600 OK\r\n\r\n",
		"upgrade":                    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
		"bare LF":                    "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
		"CR in a value":              ok + "A: b\rc\r\nContent-Length: 0\r\n\r\n",
		"NUL in a value":             ok + "A: b\x00c\r\nContent-Length: 0\r\n\r\n",
		"space before the colon":     ok + "Content-Length : 0\r\n\r\n",
		"no colon":                   ok + "Content-Length\r\n\r\n",
		"no name":                    ok + ": 0\r\n\r\n",
		"field on two lines":         ok + "A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
		"negative length":            ok + "Content-Length: -1\r\n\r\n",
		"length with a sign":         ok + "Content-Length: +1\r\n\r\na",
		"no length":                  ok + "Content-Length:\r\n\r\n",
		"two lengths":                ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"lengths in a list":          ok + "Content-Length: 1, 1\r\n\r\na",
		"length beyond the limit":    ok + "Content-Length: 99999999999999999999\r\n\r\n",
		"another coding":             ok + "Transfer-Encoding: gzip\r\n\r\n",
		"two codings":                ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"chunked twice":              ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunked in HTTP/1.0":        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunk without a size":       ok + "Transfer-Encoding: chunked\r\n\r\n\r\n",
		"chunk size in words":        ok + "Transfer-Encoding: chunked\r\n\r\nten\r\n",
		"chunk size with a sign":     ok + "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
		"chunk beyond the limit":     ok + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
		"chunk longer than its size": ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
		"endless interim responses":  strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100) + ok + "Content-Length: 0\r\n\r\n",
		"endless line":               strings.Repeat("H", 2*MaxHead),
		"endless field":              ok + "A: " + strings.Repeat("b", 2*MaxHead),
		"endless fields":             ok + strings.Repeat("A: b\r\n", MaxHead),
		"endless chunk extension":    ok + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("b", 2*MaxHead),
		"endless trailers":           ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("A: b\r\n", MaxHead),
	} {
		t.Run(name, func(t *testing.T) {
			r, err := receive(t, input)
			if syntax := SyntaxError(""); !errors.As(err, &syntax) {
				t.Errorf("got %d %q, %v; want a SyntaxError", r.Status, r.Body, err)
			}
		})
	}
}

func TestReceiveCutShort(t *testing.T) {
	for _, whole := range []string{
		"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\n12345",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\nA: b\r\n\r\n",
	} {
		for n := range len(whole) {
			_, err := receive(t, whole[:n])
			none := (*NoResponseError)(nil)
			if n == 0 && !errors.As(err, &none) || n > 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("after %d bytes of %q: %v", n, whole, err)
			}
		}
	}
}

// TestConversation sends several requests and receives several responses over one connection, with one Response
// that is reused.
func TestConversation(t *testing.T) {
	long := strings.Repeat("0123456789", 10_000)
	s := &stream{Reader: iotest.HalfReader(strings.NewReader("HTTP/1.1 200 OK\r\nID: one\r\nContent-Length: 3\r\n\r\nabc" +
		"HTTP/1.1 200 OK\r\nid: two\r\nTransfer-Encoding: chunked\r\n\r\n186A0\r\n" + long + "\r\n0\r\n\r\n" +
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nd"))}
	c := &Client{rw: s}
	var r Response
	for _, want := range []struct{ id, body string }{{"one", "abc"}, {"two", long}, {"", "d"}} {
		if err := c.Receive(&r); err != nil || r.Header.Get("Id") != want.id || string(r.Body) != want.body {
			t.Fatalf("got id %q, %d bytes, %v; want %q, %d bytes", r.Header.Get("Id"), len(r.Body), err, want.id, len(want.body))
		}
	}
	for _, request := range []*Request{
		{Method: "GET", Target: "/next", Host: "a:1", Header: []Field{{"User-Agent", "x"}}},
		{Method: "POST", Target: "/response", Host: "a:1", Body: []byte("{}")},
		{Method: "POST", Target: "/response", Host: "a:1", Body: []byte(long)},
		{Method: "POST", Target: "/response", Host: "a:1"},
	} {
		if err := c.send(request); err != nil {
			t.Fatal(err)
		}
	}
	want := "GET /next HTTP/1.1\r\nHost: a:1\r\nUser-Agent: x\r\n\r\n" +
		"POST /response HTTP/1.1\r\nHost: a:1\r\nContent-Length: 2\r\n\r\n{}" +
		"POST /response HTTP/1.1\r\nHost: a:1\r\nContent-Length: 100000\r\n\r\n" + long +
		"POST /response HTTP/1.1\r\nHost: a:1\r\nContent-Length: 0\r\n\r\n"
	if s.sent.String() != want {
		t.Errorf("sent %q, want %q", s.sent.String(), want)
	}
}

// TestClientReconnects closes connections as servers do. It uses real sockets.
func TestClientReconnects(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
	dialled := 0
	serve := func(conn net.Conn, answers ...string) {
		defer conn.Close()
		b := make([]byte, 4096)
		for _, a := range answers {
			if _, err := conn.Read(b); err != nil {
				return
			}
			io.WriteString(conn, a)
		}
	}
	scripts := [][]string{
		{answer + "1", answer + "2"}, // then closed without notice
		{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n3"}, // closed as announced
		{answer + "4", "HTTP/1.1 2"}, // cut within a response
		{},                           // closed without any response
	}
	client := &Client{Host: "a:1", Dial: func() (io.ReadWriteCloser, error) {
		if dialled == len(scripts) {
			return nil, errors.New("no more")
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			return nil, err
		}
		peer, err := listener.Accept()
		if err != nil {
			return nil, err
		}
		go serve(peer, scripts[dialled]...)
		dialled++
		return conn, nil
	}}
	var got []string
	for range 6 {
		r, err := client.Do(&Request{Method: "POST", Target: "/", Body: []byte("{}")})
		if err != nil {
			if none := (*NoResponseError)(nil); errors.As(err, &none) {
				got = append(got, "no response")
			} else {
				got = append(got, err.Error())
			}
			continue
		}
		got = append(got, string(r.Body))
	}
	if want := []string{"1", "2", "3", "4", "unexpected EOF", "no response"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestAllocations checks that an invocation's conversation allocates nothing, except for errors and Get.
func TestAllocations(t *testing.T) {
	input := strings.NewReader("")
	s := &discard{input}
	c := &Client{rw: s}
	var r Response
	request := &Request{Method: "POST", Target: "/response", Host: "a:1", Body: []byte("{}")}
	allocations := testing.AllocsPerRun(100, func() {
		input.Reset("HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: one\r\nContent-Length: 3\r\n\r\nabc")
		c.rw, c.r, c.w = s, 0, 0
		if err := c.send(request); err != nil {
			t.Fatal(err)
		}
		if err := c.Receive(&r); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 0 {
		t.Errorf("%v allocations a request and response, want 0", allocations)
	}
}

type discard struct{ io.Reader }

func (*discard) Write(b []byte) (int, error) { return len(b), nil }

func (*discard) Close() error { return nil }
