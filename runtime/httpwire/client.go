package httpwire

import "io"

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
