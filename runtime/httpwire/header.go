package httpwire

// Header is the list of header fields of one response, in order. Its arrays are reused.
type Header struct {
	raw  []byte
	list []span
}

// span is the place of a field in raw: raw[name:value] is its name, raw[value:end] its value.
type span struct{ name, value, end int }

// add appends a field.
func (h *Header) add(name, value []byte) {
	at := len(h.raw)
	h.raw = append(append(h.raw, name...), value...)
	h.list = append(h.list, span{at, at + len(name), len(h.raw)})
}

// nameEnd checks a field line and returns the index of its colon.
func nameEnd(line []byte) (colon int, err error) {
	if line[0] == ' ' || line[0] == '\t' {
		return 0, SyntaxError("header field on several lines")
	}
	for colon < len(line) && tokenByte(line[colon]) {
		colon++
	}
	if colon == 0 || colon == len(line) || line[colon] != ':' {
		return 0, SyntaxError("header field without a name")
	}
	for _, b := range line[colon:] {
		if b < ' ' && b != '\t' || b == 0x7f {
			return 0, SyntaxError("control character in a header field")
		}
	}
	return colon, nil
}

// Value returns the first field with this name in any case, or nil if there is none. It is valid until the next
// Receive.
func (h *Header) Value(name string) []byte {
	for _, s := range h.list {
		if equalFold(h.raw[s.name:s.value], name) {
			return h.raw[s.value:s.end]
		}
	}
	return nil
}

// Get returns Value as a string, which stays valid.
func (h *Header) Get(name string) string { return string(h.Value(name)) }

// each calls f with the value of every field of this name.
func (h *Header) each(name string, f func(value []byte)) {
	for _, s := range h.list {
		if equalFold(h.raw[s.name:s.value], name) {
			f(h.raw[s.value:s.end])
		}
	}
}

// hasToken reports whether a token is in the comma-separated lists of all fields of this name.
func (h *Header) hasToken(name, token string) bool {
	found := false
	h.each(name, func(value []byte) {
		for len(value) > 0 {
			var item []byte
			item, value = cutComma(value)
			found = found || equalFold(trim(item), token)
		}
	})
	return found
}

// contentLength returns the value of Content-Length. If there are several such fields, all must have the same text.
func (h *Header) contentLength() (n int, found bool, err error) {
	var first []byte
	h.each("Content-Length", func(value []byte) {
		this, ok := decimal(value)
		switch {
		case !ok:
			err = SyntaxError("Content-Length is not a length")
		case found && string(value) != string(first):
			err = SyntaxError("two values of Content-Length")
		}
		n, first, found = this, value, true
	})
	return n, found, err
}

// chunked reports whether the body is chunked. Any other coding is an error.
func (h *Header) chunked() (found bool, err error) {
	h.each("Transfer-Encoding", func(value []byte) {
		if found || !equalFold(value, "chunked") {
			err = SyntaxError("Transfer-Encoding other than chunked")
		}
		found = true
	})
	return found, err
}

// decimal parses digits only: no sign, no white space. A value above MaxBody becomes MaxBody+1.
func decimal(b []byte) (n int, ok bool) {
	for _, d := range b {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = min(n*10+int(d-'0'), MaxBody+1)
	}
	return n, len(b) > 0
}

func cutComma(b []byte) (item, rest []byte) {
	for i, c := range b {
		if c == ',' {
			return b[:i], b[i+1:]
		}
	}
	return b, nil
}

// trim cuts spaces and tabs from both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// equalFold compares and ignores the case of ASCII letters.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		if lower(b[i]) != lower(s[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// tokenByte reports whether a byte is allowed in a field name (RFC 9110, section 5.6.2).
func tokenByte(c byte) bool {
	switch {
	case '0' <= c && c <= '9', 'a' <= lower(c) && lower(c) <= 'z':
		return true
	}
	switch c {
	case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~':
		return true
	}
	return false
}
