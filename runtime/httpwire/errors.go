package httpwire

import "io"

// SyntaxError says what about a response is not HTTP/1.1 as this package reads it. The connection is of no further use.
type SyntaxError struct{ Reason string }

func (e *SyntaxError) Error() string { return "malformed HTTP response: " + e.Reason }

// All that can be wrong with a response. They are variables so that an error costs no memory: see Memory.
var (
	errChunkEnd    = &SyntaxError{"chunk longer than its size"}
	errChunkSize   = &SyntaxError{"chunk size is not hexadecimal"}
	errChunkLimit  = &SyntaxError{"chunk longer than its limit"}
	errNoChunkSize = &SyntaxError{"chunk without a size"}
	errLineLimit   = &SyntaxError{"longer than its limit"}
	errLineEnd     = &SyntaxError{"line does not end in CRLF"}
	errFolded      = &SyntaxError{"header field on several lines"}
	errNoName      = &SyntaxError{"header field without a name"}
	errControl     = &SyntaxError{"control character in a header field"}
	errLength      = &SyntaxError{"Content-Length is not a length"}
	errTwoLengths  = &SyntaxError{"two values of Content-Length"}
	errCoding      = &SyntaxError{"Transfer-Encoding other than chunked"}
	errSwitching   = &SyntaxError{"101 Switching Protocols, which nobody asked for"}
	errInterim     = &SyntaxError{"too many 1xx responses"}
	errStatusLine  = &SyntaxError{"no HTTP/1 status line"}
	errStatus      = &SyntaxError{"status is not a number"}
	errStatusRange = &SyntaxError{"status out of range"}
	errHeadLimit   = &SyntaxError{"header fields longer than their limit"}
	errChunked10   = &SyntaxError{"chunked in HTTP/1.0, which has no such thing"}
	errBodyLimit   = &SyntaxError{"body longer than its limit"}
)

// NoResponseError says that the connection ended before the first byte of a response. On a connection that carried a response
// before, the peer most likely closed it while it was idle: the request can be sent again on a new one.
type NoResponseError struct{ Err error }

func (e *NoResponseError) Error() string { return "no response: " + e.Err.Error() }

func (e *NoResponseError) Unwrap() error { return e.Err }

// noResponse is a NoResponseError in the connection's own memory; there is never more than one.
func (c *Conn) noResponse(err error) error {
	c.none.Err = err
	return &c.none
}

// truncated turns the end of the stream, where there should be more, into io.ErrUnexpectedEOF.
func truncated(err error) error {
	if err == io.EOF { //nolint:errorlint // as a reader gives it; errors.Is needs the runtime
		return io.ErrUnexpectedEOF
	}
	return err
}
