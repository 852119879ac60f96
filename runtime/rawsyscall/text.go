package main

// text is built in memory that is there already; what does not fit is cut off.
type text struct{ bytes []byte }

// in starts a text in an array.
func in(memory []byte) text { return text{memory[:0:len(memory)]} }

func (t *text) add(parts ...string) *text {
	for _, part := range parts {
		free := t.bytes[len(t.bytes):cap(t.bytes)]
		t.bytes = t.bytes[:len(t.bytes)+copy(free, part)]
	}
	return t
}

func (t *text) byte(c byte) *text {
	if len(t.bytes) < cap(t.bytes) {
		t.bytes = t.bytes[:len(t.bytes)+1]
		t.bytes[len(t.bytes)-1] = c
	}
	return t
}

func (t *text) int(n int64) *text {
	if n < 0 {
		t.byte('-')
		n = -n
	}
	var digits [20]byte
	at := len(digits)
	for {
		at--
		digits[at] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return t.add(asString(digits[at:]))
		}
	}
}

// quoted adds a string between quotes, on one line and in ASCII.
func (t *text) quoted(s string) *text {
	const hex = "0123456789abcdef"
	t.byte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			t.byte('\\').byte(c)
		case c == '\n':
			t.add(`\n`)
		case c == '\r':
			t.add(`\r`)
		case c < ' ' || c >= 0x7f:
			t.add(`\x`).byte(hex[c>>4]).byte(hex[c&15])
		default:
			t.byte(c)
		}
	}
	return t.byte('"')
}

// string is valid until the text's memory is used again.
func (t *text) string() string { return asString(t.bytes) }
