package httpwire

import "io"

// fill reads more bytes into the buffer. The buffer grows until it holds limit unread bytes. At the end of the
// stream the error is io.EOF.
func (c *Client) fill(limit int) error {
	if c.r > 0 {
		c.w = copy(c.in, c.in[c.r:c.w])
		c.r = 0
	}
	if c.w == len(c.in) {
		if c.w >= limit {
			return SyntaxError("longer than its limit")
		}
		grown := make([]byte, max(2*len(c.in), 4<<10))
		copy(grown, c.in)
		c.in = grown
	}
	n, err := read(c.rw, c.in[c.w:])
	c.w += n
	return err
}

// read reads at least one byte, or returns an error. An error that came with bytes will be returned again by the next
// Read.
func read(r io.ReadWriteCloser, b []byte) (n int, err error) {
	for n == 0 && err == nil {
		n, err = r.Read(b)
	}
	if n > 0 {
		return n, nil
	}
	return 0, err
}

// line consumes a line that ends in CRLF and returns it without the CRLF. The result is valid until the next read.
func (c *Client) line(limit int) ([]byte, error) {
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

// Do sends one request and receives its response, which is valid until the next Do. If the server closed the
// connection while it was idle, so that no byte of a response arrived, Do sends the request once more on a new
// connection. After an error the connection is closed.
func (c *Client) Do(r *Request) (*Response, error) {
	r.Host = c.Host
	for reused := c.rw != nil; ; reused = false {
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
	return c.send(r)
}

// Connect opens the connection if it is not open.
func (c *Client) Connect() error {
	if c.rw != nil {
		return nil
	}
	rw, err := c.Dial()
	if err == nil {
		c.rw, c.r, c.w = rw, 0, 0
	}
	return err
}

// exchange sends one request and receives its response on the open connection.
func (c *Client) exchange(r *Request) error {
	if err := c.send(r); err != nil {
		// A server may answer and close before it has read a large request. Its answer says more than the broken
		// pipe.
		if c.Receive(&c.response) == nil {
			c.response.Close = true
			return nil
		}
		return c.noResponse(err)
	}
	return c.Receive(&c.response)
}
