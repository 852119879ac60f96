package httpwire

import (
	"io"
	"strconv"
)

// Dial opens a connection.
type Dial func() (io.ReadWriteCloser, error)

// Client sends requests to one server over one kept-alive connection, which it opens with Dial when it needs one.
// Host is the server's name in requests.
type Client struct {
	Host string
	Dial Dial

	rw  io.ReadWriteCloser // nil: no connection is open
	out []byte             // reused for each request
	in  []byte             // in[r:w] is read from rw, but not yet consumed
	r   int
	w   int

	response Response
	none     NoResponseError
}

// Field is one header field. Name and Value must not contain CR, LF or NUL; the caller checks that.
type Field struct{ Name, Value string }

// Request is what a client sends. The client adds Host and Content-Length to Header. A GET request without a Body has
// no Content-Length.
type Request struct {
	Method string
	Target string // path as sent, such as "/2018-06-01/runtime/invocation/next"
	Host   string
	Header []Field
	Body   []byte
}

// inline is the largest body, in bytes, that is written together with its head: one write makes one segment and
// wakes the server once.
const inline = 16 << 10

// send writes one request. It returns the writer's error unchanged.
func (c *Client) send(r *Request) error {
	b := r.appendHead(c.out[:0])
	if r.Method != "GET" || len(r.Body) > 0 {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, int64(len(r.Body)), 10)
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	rest := r.Body
	if len(rest) <= inline {
		b, rest = append(b, rest...), nil
	}
	c.out = b[:0]
	_, err := c.rw.Write(b)
	if err == nil && len(rest) > 0 {
		_, err = c.rw.Write(rest)
	}
	return err
}

// appendHead appends the request line and the caller's fields.
func (r *Request) appendHead(b []byte) []byte {
	b = append(b, r.Method...)
	b = append(b, ' ')
	b = append(b, r.Target...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, r.Host...)
	b = append(b, "\r\n"...)
	return appendFields(b, r.Header)
}

func appendFields(b []byte, fields []Field) []byte {
	for _, f := range fields {
		b = append(b, f.Name...)
		b = append(b, ": "...)
		b = append(b, f.Value...)
		b = append(b, "\r\n"...)
	}
	return b
}
