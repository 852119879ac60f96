package httpwire

import "io"

// Dial opens a connection.
type Dial func() (io.ReadWriteCloser, error)

// Client sends requests to one server over one kept-alive connection, which it opens when it needs one. Host names that
// server in requests; Dial opens a connection to it.
type Client struct {
	Host string
	Dial Dial

	conn     *Conn
	socket   connection
	response Response
}

// connection is what Dial gave; nil: none is open. It is a type of its own because turning an interface into another is work for Go's
// runtime, which a client with Memory does without.
type connection struct{ io.ReadWriteCloser }

func (c *connection) open() bool { return c.ReadWriteCloser != nil }

// Do sends one request and receives its response, which is valid until the next Do. A connection that the server closed while it was
// idle is replaced, and the request sent again, once: no byte of an answer had come. After an error the connection is closed.
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
		if _, none := err.(*NoResponseError); !reused || !none { //nolint:errorlint // as it was made: errors.As allocates
			return nil, err
		}
	}
}

// Send sends one request whose response is not waited for. Nothing else can be done with the client after it.
func (c *Client) Send(r *Request) error {
	r.Host = c.Host
	if err := c.Connect(); err != nil {
		return err
	}
	return c.conn.Send(r)
}

// Connect opens the connection, unless it is open.
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

// exchange is one request and its response on the open connection.
func (c *Client) exchange(r *Request) error {
	if err := c.conn.Send(r); err != nil {
		// A server may answer and close before it has read a large request; its answer says more than the broken pipe.
		if c.conn.Receive(&c.response) == nil {
			c.response.Close = true
			return nil
		}
		return c.conn.noResponse(err)
	}
	return c.conn.Receive(&c.response)
}
