package probe

import (
	"context"
	"io"
	"net"
	"regexp"
	"slices"
	"sync"
)

// recorder stands before the Runtime API and notes what was asked of it, known or not.
type recorder struct {
	listener net.Listener
	to       string
	mu       sync.Mutex
	calls    []string
	open     map[net.Conn]bool
	closed   bool
}

func record(to string) (*recorder, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &recorder{listener: listener, to: to, open: map[net.Conn]bool{}}
	go r.accept()
	return r, nil
}

func (r *recorder) address() string { return r.listener.Addr().String() }

func (r *recorder) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).DialContext(context.Background(), "tcp4", r.to)
		if err != nil {
			client.Close()
			continue
		}
		r.mu.Lock()
		if r.closed {
			client.Close()
			server.Close()
		}
		r.open[client], r.open[server] = true, true
		r.mu.Unlock()
		go r.relay(server, io.TeeReader(client, noter{r}))
		go r.relay(client, server)
	}
}

// relay ends the sending half of to once from has ended.
func (r *recorder) relay(to net.Conn, from io.Reader) {
	io.Copy(to, from) //nolint:errcheck // one side has gone; the other learns of it
	if tcp, ok := to.(*net.TCPConn); ok {
		tcp.CloseWrite() //nolint:errcheck // it may be closed already
	}
}

// request is the first line of a request.
var request = regexp.MustCompile(`(?m)^(GET|POST|PUT|DELETE|HEAD|PATCH) (\S+) HTTP/1\.[01]\r?$`)

type noter struct{ *recorder }

func (n noter) Write(p []byte) (int, error) {
	for _, m := range request.FindAllSubmatch(p, -1) {
		n.mu.Lock()
		if len(n.calls) < 100 {
			n.calls = append(n.calls, string(m[1])+" "+string(m[2]))
		}
		n.mu.Unlock()
	}
	return len(p), nil
}

func (r *recorder) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

// drop ends every connection: whoever made them has ended.
func (r *recorder) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for conn := range r.open {
		conn.Close()
	}
	clear(r.open)
}

func (r *recorder) close() {
	r.listener.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for conn := range r.open {
		conn.Close()
	}
	clear(r.open)
}
