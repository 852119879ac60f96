package httpwire

import "io"

// SyntaxError says why a response is not HTTP/1.1 as this package reads it. The connection cannot be used after it.
// To return a constant as an error allocates nothing: see Memory.
type SyntaxError string

func (e SyntaxError) Error() string { return "malformed HTTP response: " + string(e) }

// NoResponseError says that the connection ended before the first byte of a response. If the connection carried a
// response before, the server most likely closed it while it was idle, and the request can be sent again on a new
// connection.
type NoResponseError struct{ Err error }

func (e *NoResponseError) Error() string { return "no response: " + e.Err.Error() }

func (e *NoResponseError) Unwrap() error { return e.Err }

// noResponse returns a NoResponseError that is part of the Client, so it allocates nothing. A Client never has
// more than one.
func (c *Client) noResponse(err error) error {
	c.none.Err = err
	return &c.none
}

// truncated turns io.EOF into io.ErrUnexpectedEOF, for places where more bytes must follow.
func truncated(err error) error {
	if err == io.EOF { //nolint:errorlint // readers do not wrap it, and errors.Is needs the runtime
		return io.ErrUnexpectedEOF
	}
	return err
}

// Limits for what is read, in bytes. A Runtime API stays far below them: an event has at most 6 MB, and its longest
// header field, the client context, 3.5 kB.
const (
	MaxHead = 64 << 10 // of the head of one response, and of its trailers
	MaxBody = 64 << 20
	maxLine = 4 << 10 // of the line that gives a chunk's size
	max1xx  = 16      // number of interim responses before the final one
)

// Memory holds all buffers of a Client, for programs that have no heap. A Client that was given a Memory by Use
// allocates nothing, not even for errors, as long as the Header and Body of its requests are not temporaries. As a
// package variable a Memory costs nothing until it is used.
type Memory struct {
	in   [MaxHead]byte
	out  [inline + maxHeadSent]byte
	raw  [MaxHead]byte
	list [MaxHead / len("a:\r\n")]span
}

// maxHeadSent limits the head of a request of such a client, and its trailers, in bytes.
const maxHeadSent = 64 << 10

// Use gives memory to a Client that has sent nothing yet. Bodies are received into body; a longer one is a
// SyntaxError.
func (c *Client) Use(m *Memory, body []byte) {
	c.in, c.out = m.in[:], m.out[:0]
	c.response = Response{Header: Header{raw: m.raw[:0], list: m.list[:0]}, Body: body[:0], most: len(body)}
}
