// Package httpwire is an HTTP/1.1 client (RFC 9112) over an io.ReadWriter.
//
// It exists because a cold start spends its time reading pages. net/http makes a Go bootstrap three times as large,
// and most of those pages are touched before the first request leaves. This package therefore imports neither net
// nor net/http nor fmt nor encoding/json, and it reuses its buffers.
//
// It understands what a Runtime API can send: bodies with Content-Length, chunked, or ended by the connection's
// close; 1xx responses; trailers; header names in any case; reads that end at any byte. It reads valid responses as
// net/http does; a differential fuzz test checks that. It refuses anything else with a [SyntaxError]: obsolete
// line folding, bare LF, two different lengths.
package httpwire

import "io"

// Response is what a client receives. Its parts are valid until the next Receive with the same Response.
type Response struct {
	Status int    // 200 to 599: 1xx responses are skipped
	Header Header // of the final response
	Body   []byte // the whole body, without chunk framing; its array is reused
	Close  bool   // the connection cannot carry another request
	minor  int    // of HTTP/1.<minor>

	most int // bytes of Body; 0 is MaxBody
}

func (r *Response) limit() int {
	if r.most > 0 {
		return r.most
	}
	return MaxBody
}

// Receive reads one whole response. It returns a *NoResponseError if the connection ended before the first byte,
// io.ErrUnexpectedEOF if it ended later, a SyntaxError, or the reader's error.
func (c *Client) Receive(r *Response) error {
	if c.r == c.w {
		if err := c.fill(MaxHead); err != nil {
			return c.noResponse(err)
		}
	}
	for range max1xx {
		if err := c.head(r); err != nil {
			return err
		}
		switch {
		case r.Status == 101:
			return SyntaxError("101 Switching Protocols without a request to upgrade")
		case r.Status >= 200:
			return c.body(r)
		}
	}
	return SyntaxError("too many 1xx responses")
}

// head reads a status line and header fields, up to and including the empty line.
func (c *Client) head(r *Response) error {
	line, err := c.line(MaxHead)
	if err != nil {
		return err
	}
	minor, status, err := statusLine(line)
	if err != nil {
		return err
	}
	r.Status, r.Close, r.minor = status, minor == 0, minor
	return c.fields(&r.Header)
}

// statusLine parses "HTTP/1.1 200 OK". The reason may be empty, and the space before it may be absent.
func statusLine(line []byte) (minor, status int, err error) {
	const version = "HTTP/1."
	if len(line) < len(version)+5 || string(line[:len(version)]) != version {
		return 0, 0, SyntaxError("no HTTP/1 status line")
	}
	digit, rest := line[len(version)], line[len(version)+1:]
	if digit != '0' && digit != '1' || rest[0] != ' ' || len(rest) > 4 && rest[4] != ' ' {
		return 0, 0, SyntaxError("no HTTP/1 status line")
	}
	for _, d := range rest[1:4] {
		if d < '0' || d > '9' {
			return 0, 0, SyntaxError("status is not a number")
		}
		status = status*10 + int(d-'0')
	}
	if status < 100 || status > 599 {
		return 0, 0, SyntaxError("status out of range")
	}
	return int(digit - '0'), status, nil
}

// fields reads header fields up to and including the empty line. If h is nil they are trailer fields and are
// skipped.
func (c *Client) fields(h *Header) error {
	if h != nil {
		h.raw, h.list = h.raw[:0], h.list[:0]
	}
	for size := 0; ; {
		line, err := c.line(MaxHead)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return nil
		}
		if size += len(line) + len("\r\n"); size > MaxHead {
			return SyntaxError("header fields longer than their limit")
		}
		colon, err := nameEnd(line)
		if err != nil {
			return err
		}
		if h != nil {
			h.add(line[:colon], trim(line[colon+1:]))
		}
	}
}

// body reads the body by the rules of RFC 9112, section 6.3.
func (c *Client) body(r *Response) error {
	r.Body = r.Body[:0]
	if r.Header.hasToken("Connection", "close") {
		r.Close = true
	} else if r.Header.hasToken("Connection", "keep-alive") {
		r.Close = false
	}
	length, found, err := r.Header.contentLength()
	if err != nil {
		return err
	}
	chunked, err := r.Header.chunked()
	switch {
	case err != nil:
		return err
	case r.Status == 204 || r.Status == 304:
		return nil
	case chunked && r.minor == 0:
		return SyntaxError("chunked in HTTP/1.0, which does not define it")
	case chunked:
		if found {
			r.Close = true // RFC 9112, section 6.1: chunked has precedence, and such a sender is not trusted again
		}
		return c.chunks(r)
	case found:
		return c.exactly(r, length)
	}
	r.Close = true
	return c.rest(r)
}

// exactly appends n bytes to the body.
func (c *Client) exactly(r *Response, n int) error {
	if n > r.limit()-len(r.Body) {
		return SyntaxError("body longer than its limit")
	}
	at := len(r.Body)
	if cap(r.Body)-at < n {
		grown := make([]byte, at, max(at+n, min(2*cap(r.Body), r.limit())))
		copy(grown, r.Body)
		r.Body = grown
	}
	r.Body = r.Body[:at+n]
	free := r.Body[at:]
	buffered := copy(free, c.in[c.r:c.w])
	c.r += buffered
	for free = free[buffered:]; len(free) > 0; {
		got, err := read(c.rw, free)
		if err != nil {
			r.Body = r.Body[:len(r.Body)-len(free)]
			return truncated(err)
		}
		free = free[got:]
	}
	return nil
}

// rest appends everything up to the end of the stream.
func (c *Client) rest(r *Response) error {
	for {
		if c.w-c.r > r.limit()-len(r.Body) {
			return SyntaxError("body longer than its limit")
		}
		r.Body = append(r.Body, c.in[c.r:c.w]...)
		c.r, c.w = 0, 0
		switch err := c.fill(len(c.in)); err {
		case nil:
		case io.EOF: //nolint:errorlint // readers do not wrap it, and errors.Is needs the runtime
			return nil
		default:
			return err
		}
	}
}
