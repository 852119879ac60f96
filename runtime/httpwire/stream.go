package httpwire

import (
	"io"
	"strconv"
)

// Open sends the head of a request whose body follows in pieces: call Chunk for each piece, then Finish. Open adds
// Transfer-Encoding to Header and ignores r.Body. A request that was opened is never sent again, because the server
// may have acted on it.
func (c *Client) Open(r *Request) error {
	r.Host = c.Host
	if err := c.Connect(); err != nil {
		return err
	}
	b := r.appendHead(c.out[:0])
	b = append(b, "Transfer-Encoding: chunked\r\n\r\n"...)
	return c.write(b)
}

// Chunk sends a piece of the body at once. It sends nothing for an empty piece.
func (c *Client) Chunk(piece []byte) error {
	for len(piece) > 0 {
		n := min(len(piece), inline)
		b := strconv.AppendInt(c.out[:0], int64(n), 16)
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

// Finish ends the body and receives the response as Do does. trailers are the trailer fields that the head has
// announced.
func (c *Client) Finish(trailers []Field) (*Response, error) {
	b := c.out[:0]
	b = append(b, "0\r\n"...)
	b = appendFields(b, trailers)
	b = append(b, "\r\n"...)
	if err := c.write(b); err != nil {
		return nil, err
	}
	err := c.Receive(&c.response)
	if err != nil || c.response.Close {
		c.hangUp()
	}
	if err != nil {
		return nil, err
	}
	return &c.response, nil
}

// write sends what was appended to the output buffer. After an error the connection is closed, and Open opens a new
// one.
func (c *Client) write(b []byte) error {
	if c.rw == nil {
		return c.noResponse(io.ErrClosedPipe)
	}
	c.out = b[:0]
	_, err := c.rw.Write(b)
	if err != nil {
		c.hangUp()
	}
	return err
}

func (c *Client) hangUp() {
	c.rw.Close()
	c.rw = nil
}

// chunks appends the chunks of a body (RFC 9112, section 7.1) to r.Body. It skips extensions and trailers.
func (c *Client) chunks(r *Response) error {
	for {
		line, err := c.line(maxLine)
		if err != nil {
			return err
		}
		n, err := chunkSize(line)
		if err != nil {
			return err
		}
		if n == 0 {
			return c.fields(nil)
		}
		if err := c.exactly(r, n); err != nil {
			return err
		}
		end, err := c.line(maxLine)
		if err != nil {
			return err
		}
		if len(end) != 0 {
			return SyntaxError("chunk longer than its size")
		}
	}
}

// chunkSize parses the hexadecimal size before a chunk. It stops at an extension.
func chunkSize(line []byte) (int, error) {
	n, digits := 0, 0
	for _, d := range line {
		switch {
		case '0' <= d && d <= '9':
			d -= '0'
		case 'a' <= d && d <= 'f':
			d -= 'a' - 10
		case 'A' <= d && d <= 'F':
			d -= 'A' - 10
		case digits > 0 && (d == ';' || len(trim(line[digits:])) == 0): // an extension, or the padding that some servers send
			return n, nil
		default:
			return 0, SyntaxError("chunk size is not hexadecimal")
		}
		if digits++; digits > 16 || n > MaxBody {
			return 0, SyntaxError("chunk longer than its limit")
		}
		n = n<<4 | int(d)
	}
	if digits == 0 {
		return 0, SyntaxError("chunk without a size")
	}
	return n, nil
}
