package httpwire

import (
	"io"
	"strconv"
)

// Open sends the head of a request whose body follows piece by piece: Chunk for each, then Finish. Transfer-Encoding is added to
// Header; r.Body is not looked at. A request that was opened is never sent again: what a server made of it cannot be known.
func (c *Client) Open(r *Request) error {
	r.Host = c.Host
	if err := c.Connect(); err != nil {
		return err
	}
	b := r.appendHead(c.conn.out[:0])
	b = append(b, "Transfer-Encoding: chunked\r\n\r\n"...)
	return c.write(b)
}

// Chunk sends a piece of the body, at once. An empty one sends nothing.
func (c *Client) Chunk(piece []byte) error {
	for len(piece) > 0 {
		n := min(len(piece), inline)
		b := strconv.AppendInt(c.conn.out[:0], int64(n), 16)
		b = append(b, "\r\n"...)
		b = append(b, piece[:n]...)
		b = append(b, "\r\n"...)
		if err := c.write(b); err != nil {
			return err
		}
		piece = piece[n:]
	}
	return nil
}

// Finish ends the body, with trailer fields that the head has announced, and receives the response as Do does.
func (c *Client) Finish(trailers []Field) (*Response, error) {
	b := c.conn.out[:0]
	b = append(b, "0\r\n"...)
	b = appendFields(b, trailers)
	b = append(b, "\r\n"...)
	if err := c.write(b); err != nil {
		return nil, err
	}
	err := c.conn.Receive(&c.response)
	if err != nil || c.response.Close {
		c.hangUp()
	}
	if err != nil {
		return nil, err
	}
	return &c.response, nil
}

// write sends what was appended to the output buffer. After an error the connection is closed, and Open makes a new one.
func (c *Client) write(b []byte) error {
	if !c.socket.open() {
		return c.conn.noResponse(io.ErrClosedPipe)
	}
	c.conn.out = b[:0]
	err := writeAll(&c.socket, b)
	if err != nil {
		c.hangUp()
	}
	return err
}

func (c *Client) hangUp() {
	c.socket.Close()
	c.socket.ReadWriteCloser = nil
}
