package httpwire

import "io"

// Limits for what is read, in bytes. A Runtime API stays far below them: an event has at most 6 MB, and its longest
// header field, the client context, 3.5 kB.
const (
	MaxHead = 64 << 10 // of the head of one response, and of its trailers
	MaxBody = 64 << 20
	maxLine = 4 << 10 // of the line that gives a chunk's size
	max1xx  = 16      // number of interim responses before the final one
)

// Conn carries requests and responses, one after another, over one connection. It is not safe for concurrent use.
type Conn struct {
	rw  io.ReadWriter
	out []byte // reused by Send
	in  []byte // in[r:w] is read from rw, but not yet consumed
	r   int
	w   int

	none NoResponseError
}

// NewConn returns a Conn over a connection that has not been used yet.
func NewConn(rw io.ReadWriter) *Conn { return &Conn{rw: rw, in: make([]byte, 4<<10)} }

// Reset switches to a new connection and keeps the buffers.
func (c *Conn) Reset(rw io.ReadWriter) { c.rw, c.r, c.w = rw, 0, 0 }

// fill reads more bytes into the buffer. The buffer grows until it holds limit unread bytes. At the end of the
// stream the error is io.EOF.
func (c *Conn) fill(limit int) error {
	if c.r > 0 {
		c.w = copy(c.in, c.in[c.r:c.w])
		c.r = 0
	}
	if c.w == len(c.in) {
		if c.w >= limit {
			return SyntaxError("longer than its limit")
		}
		grown := make([]byte, 2*len(c.in))
		copy(grown, c.in)
		c.in = grown
	}
	n, err := read(c.rw, c.in[c.w:])
	c.w += n
	return err
}

// read reads at least one byte, or returns an error. An error that came with bytes will be returned again by the next
// Read.
func read(r io.ReadWriter, b []byte) (n int, err error) {
	for n == 0 && err == nil {
		n, err = r.Read(b)
	}
	if n > 0 {
		return n, nil
	}
	return 0, err
}

// line consumes a line that ends in CRLF and returns it without the CRLF. The result is valid until the next read.
func (c *Conn) line(limit int) ([]byte, error) {
	scanned := 0
	for {
		for i := c.r + scanned; i < c.w; i++ {
			if c.in[i] != '\n' {
				continue
			}
			if i == c.r || c.in[i-1] != '\r' {
				return nil, SyntaxError("line does not end in CRLF")
			}
			line := c.in[c.r : i-1]
			c.r = i + 1
			return line, nil
		}
		scanned = c.w - c.r
		if err := c.fill(limit); err != nil {
			return nil, truncated(err)
		}
	}
}

// Dial opens a connection.
type Dial func() (io.ReadWriteCloser, error)

// Client sends requests to one server over one kept-alive connection, which it opens with Dial when it needs one.
// Host is the server's name in requests.
type Client struct {
	Host string
	Dial Dial

	conn     *Conn
	socket   connection
	response Response
}

// connection wraps what Dial returned; nil means that no connection is open. It is a struct because converting one
// interface to another calls Go's runtime, which a client with Memory must not need.
type connection struct{ io.ReadWriteCloser }

func (c *connection) open() bool { return c.ReadWriteCloser != nil }

// Do sends one request and receives its response, which is valid until the next Do. If the server closed the
// connection while it was idle, so that no byte of a response arrived, Do sends the request once more on a new
// connection. After an error the connection is closed.
func (c *Client) Do(r *Request) (*Response, error) {
	r.Host = c.Host
	for reused := c.socket.open(); ; reused = false {
		if err := c.Connect(); err != nil {
			return nil, err
		}
		err := c.exchange(r)
		if err == nil && !c.response.Close {
			return &c.response, nil
		}
		c.hangUp()
		if err == nil {
			return &c.response, nil
		}
		if _, none := err.(*NoResponseError); !reused || !none { //nolint:errorlint // never wrapped, and errors.As allocates
			return nil, err
		}
	}
}

// Send sends one request and does not wait for the response. After Send the client cannot be used again.
func (c *Client) Send(r *Request) error {
	r.Host = c.Host
	if err := c.Connect(); err != nil {
		return err
	}
	return c.conn.Send(r)
}

// Connect opens the connection if it is not open.
func (c *Client) Connect() error {
	if c.socket.open() {
		return nil
	}
	socket, err := c.Dial()
	if err != nil {
		return err
	}
	if c.socket.ReadWriteCloser = socket; c.conn == nil {
		c.conn = NewConn(&c.socket)
	} else {
		c.conn.Reset(&c.socket)
	}
	return nil
}

// exchange sends one request and receives its response on the open connection.
func (c *Client) exchange(r *Request) error {
	if err := c.conn.Send(r); err != nil {
		// A server may answer and close before it has read a large request. Its answer says more than the broken
		// pipe.
		if c.conn.Receive(&c.response) == nil {
			c.response.Close = true
			return nil
		}
		return c.conn.noResponse(err)
	}
	return c.conn.Receive(&c.response)
}
