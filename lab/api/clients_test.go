package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/api/double"
)

// serveTCP serves the API as the lab does. It returns the server's address, and a channel that receives the client's
// address of each connection that the server has closed.
func serveTCP(t *testing.T) (address string, closed <-chan string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan string, 100)
	server := api.NewServer(api.Handler(newFunctions(t)))
	server.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			ended <- c.RemoteAddr().String()
		}
	}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return listener.Addr().String(), ended
}

func dial(t *testing.T, address string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

const invocation = "POST /2015-03-31/functions/F/invocations HTTP/1.1\r\nHost: 127.0.0.1\r\n"

// A client that stops in the middle of a request or of its answer, or is too slow, must be cut off. Meanwhile other
// clients are served.
func TestSlowClientsAreCutOff(t *testing.T) {
	api.SetPatience(200 * time.Millisecond)
	defer api.SetPatience(30 * time.Second)
	address, closed := serveTCP(t)
	const large = 6_000_000
	slow := map[string]string{} // by the client's address
	for what, begin := range map[string]func(*net.TCPConn){
		"nothing":       func(*net.TCPConn) {},
		"half a line":   func(c *net.TCPConn) { io.WriteString(c, "POST /2015-03") },
		"half a header": func(c *net.TCPConn) { io.WriteString(c, invocation+"Content-Le") },
		"half a body":   func(c *net.TCPConn) { io.WriteString(c, invocation+"Content-Length: 100\r\n\r\n{") },
		"half a chunk":  func(c *net.TCPConn) { io.WriteString(c, invocation+"Transfer-Encoding: chunked\r\n\r\nff\r\n{") },
		"one byte at a time": func(c *net.TCPConn) {
			io.WriteString(c, invocation+"Content-Length: 1000000\r\n\r\n")
			go func() {
				for {
					if _, err := c.Write([]byte(" ")); err != nil {
						return
					}
					time.Sleep(time.Millisecond)
				}
			}()
		},
		"the answer is not read": func(c *net.TCPConn) {
			c.SetReadBuffer(4096)
			fmt.Fprintf(c, "%sContent-Length: %d\r\n\r\n\"%s\"", invocation, large, strings.Repeat("x", large-2))
		},
	} {
		conn := dial(t, address)
		slow[conn.LocalAddr().String()] = what
		begin(conn)
	}
	for tries := 1; ; tries++ { // on a busy machine this client may be too slow, too
		other := dial(t, address)
		io.WriteString(other, invocation+"Content-Length: 2\r\nConnection: close\r\n\r\n{}")
		answer, err := http.ReadResponse(bufio.NewReader(other), nil)
		if err == nil && answer.StatusCode == http.StatusOK {
			break
		}
		if tries == 10 {
			t.Fatalf("another client, ten times: %v, %v", answer, err)
		}
	}
	for len(slow) > 0 {
		select {
		case from := <-closed:
			delete(slow, from)
		case <-time.After(time.Minute):
			t.Fatalf("these clients are not cut off: %v", slow)
		}
	}
}

// The time limit for a request must end neither its invocation nor the connection.
func TestInvocationsMayTakeLongerThanRequests(t *testing.T) {
	api.SetPatience(500 * time.Millisecond)
	defer api.SetPatience(30 * time.Second)
	functions := newFunctions(t)
	functions.Run = func(double.Run) double.Answer {
		time.Sleep(700 * time.Millisecond)
		return double.Answer{}
	}
	server := api.NewServer(api.Handler(functions))
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	conn := dial(t, listener.Addr().String())
	reader := bufio.NewReader(conn)
	for range 3 {
		io.WriteString(conn, invocation+"Content-Length: 2\r\n\r\n{}")
		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(answer.Body); err != nil || string(text) != "{}" || answer.StatusCode != http.StatusOK {
			t.Errorf("%s %s, %v", answer.Status, text, err)
		}
	}
}

// A client that sends something else than a request must get an error or be cut off. The server must go on.
func TestGarbage(t *testing.T) {
	address, _ := serveTCP(t)
	body := func(header string) string { return invocation + header + "\r\n\r\n{}" }
	for what, text := range map[string]string{
		"bytes":                "\x00\xff\xfe\r\n\r\n",
		"TLS":                  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
		"HTTP/0.9":             "GET /\r\n\r\n",
		"HTTP/3.0":             "GET / HTTP/3.0\r\nHost: 127.0.0.1\r\n\r\n",
		"HTTP/2":               "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"no Host":              "GET / HTTP/1.1\r\n\r\n",
		"different lengths":    body("Content-Length: 2\r\nContent-Length: 3"),
		"a negative length":    body("Content-Length: -1"),
		"a length of letters":  body("Content-Length: two"),
		"length and bad chunk": invocation + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
		"a bad chunk":          invocation + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
		"an unknown encoding":  body("Transfer-Encoding: gzip"),
		"a huge header":        body("X-Large: " + strings.Repeat("x", 1<<20)),
		"10,000 headers":       body(strings.Repeat("X-Many: some value\r\n", 10_000) + "Content-Length: 2"),
		"a space in a name":    body("X Y: z"),
		"a zero byte":          body("X-A: b\x00c"),
		"half a body":          invocation + "Content-Length: 9\r\n\r\n{",
	} {
		conn := dial(t, address)
		io.WriteString(conn, text) // the server may have closed it already
		conn.CloseWrite()
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil && (answer.StatusCode < 400 || answer.StatusCode > 505) {
			t.Errorf("%s: %s", what, answer.Status)
		}
		conn.Close()
		good := dial(t, address)
		io.WriteString(good, body("Content-Length: 2"))
		if answer, err := http.ReadResponse(bufio.NewReader(good), nil); err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("after %s: %v, %v", what, answer, err)
		}
		good.Close()
	}
}

// The server must not redirect to a tidied path: Lambda's clients do not follow redirections, and the path of a function
// URL may be anything.
func TestPathsAreNotTidied(t *testing.T) {
	server := serve(t, newFunctions(t))
	for _, path := range []string{"/2015-03-31/functions/../functions/F", "/2015-03-31//functions/F"} {
		if got := send(t, server, "GET /20/.."+path, nil); got.status != http.StatusNotFound || got.header.Get("X-Amzn-Errortype") != "UnknownOperationException" {
			t.Errorf("%s: %+v", path, got)
		}
	}
}
