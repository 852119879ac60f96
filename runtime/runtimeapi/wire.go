package runtimeapi

import (
	"unicode/utf8"

	"github.com/twinstart/twinstart/runtime/httpwire"
)

// Wire is a Transport over package httpwire.
type Wire struct {
	Client  httpwire.Client
	Agent   httpwire.Field
	request httpwire.Request
	fields  [4]httpwire.Field
}

// NewWire returns a Transport to the API at address (host:port). It opens connections with dial.
func NewWire(address, userAgent string, dial httpwire.Dial) *Wire {
	return &Wire{Client: httpwire.Client{Host: address, Dial: dial},
		Agent: httpwire.Field{Name: "User-Agent", Value: userAgent}}
}

// Do implements Transport.
func (w *Wire) Do(r Request) (Reply, error) {
	response, err := w.Exchange(r)
	if err != nil {
		return Reply{}, err
	}
	return Reply{Status: response.Status, Header: &response.Header, Body: response.Body}, nil
}

// Exchange does what Do does. It allocates nothing if the client has its own memory.
func (w *Wire) Exchange(r Request) (*httpwire.Response, error) {
	header := append(w.fields[:0], w.Agent)
	if r.Method != "GET" {
		header = append(header, httpwire.Field{Name: "Content-Type", Value: "application/json"})
	}
	if r.ErrorType != "" {
		header = append(header, httpwire.Field{Name: HeaderErrorType, Value: r.ErrorType})
	}
	if r.InvocationID != "" {
		header = append(header, httpwire.Field{Name: HeaderInvocationID, Value: r.InvocationID})
	}
	w.request = httpwire.Request{Method: r.Method, Target: r.Path, Header: header, Body: r.Body}
	return w.Client.Do(&w.request)
}

// TailSize is how many bytes of stderr become the message of an error.
const TailSize = 4 << 10

// Tail keeps the last TailSize bytes of stderr in its own memory. The zero value is empty.
type Tail struct {
	kept [2 * TailSize]byte
	n    int
	cut  bool // earlier bytes were dropped
}

// Reset forgets all bytes.
func (t *Tail) Reset() { t.n, t.cut = 0, false }

// Add appends bytes. It drops old ones at most once per TailSize bytes, to copy less.
func (t *Tail) Add(b []byte) {
	if len(b) > TailSize {
		b, t.cut = b[len(b)-TailSize:], true
	}
	if t.n+len(b) > len(t.kept) {
		t.n, t.cut = copy(t.kept[:], t.kept[max(t.n-TailSize, 0):t.n]), true
	}
	t.n += copy(t.kept[t.n:], b)
}

// Message returns the tail without white space around it, valid until the next Add. If bytes were dropped, it starts
// at the start of a line.
func (t *Tail) Message() []byte {
	b, cut := t.kept[:t.n], t.cut
	if len(b) > TailSize {
		b, cut = b[len(b)-TailSize:], true
	}
	if cut {
		for i := range len(b) - 1 {
			if b[i] == '\n' {
				b = b[i+1:]
				break
			}
		}
	}
	for len(b) > 0 && space(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && space(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func space(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// Error is a failure as it is reported to the API, during INIT or for one invocation.
type Error struct {
	Type    string // <category>.<reason>, such as Runtime.NoSuchHandler
	Message string // any bytes
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// AppendJSON appends {"errorMessage": ..., "errorType": ..., "stackTrace": []}.
func (e *Error) AppendJSON(b []byte) []byte {
	b = append(b, `{"errorMessage":`...)
	b = appendString(b, e.Message)
	b = append(b, `,"errorType":`...)
	b = appendString(b, e.Type)
	return append(b, `,"stackTrace":[]}`...)
}

// appendString appends a JSON string (RFC 8259, section 7). Bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:]) // U+FFFD and size 1 if it is not UTF-8
			b = utf8.AppendRune(b, r)
			i += size
			continue
		}
		i++
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c < ' ' || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
