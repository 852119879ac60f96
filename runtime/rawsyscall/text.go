package main

// text is a string that is built in existing memory. What does not fit is cut off.
type text struct{ bytes []byte }

// in returns an empty text that uses the given memory.
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

// quoted adds a string in quotes, on one line and in ASCII.
func (t *text) quoted(s string) {
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
	t.byte('"')
}

// base64 adds bytes encoded as in RFC 4648, section 4. Package encoding/base64 would build its tables at program
// start.
func (t *text) base64(b []byte) *text {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for ; len(b) >= 3; b = b[3:] {
		t.byte(alphabet[b[0]>>2]).byte(alphabet[b[0]<<4&63|b[1]>>4]).byte(alphabet[b[1]<<2&63|b[2]>>6]).byte(alphabet[b[2]&63])
	}
	switch len(b) {
	case 1:
		t.byte(alphabet[b[0]>>2]).byte(alphabet[b[0]<<4&63]).add("==")
	case 2:
		t.byte(alphabet[b[0]>>2]).byte(alphabet[b[0]<<4&63|b[1]>>4]).byte(alphabet[b[1]<<2&63]).byte('=')
	}
	return t
}

// string returns the text. It is valid until the text's memory is used again.
func (t *text) string() string { return asString(t.bytes) }
