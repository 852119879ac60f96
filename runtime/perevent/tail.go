//go:build linux

package perevent

import "strings"

// tailSize is how many bytes of stderr become an error's message.
const tailSize = 4 << 10

// tail keeps the last tailSize bytes of a stream.
type tail struct {
	kept []byte
	cut  bool // earlier bytes were dropped
}

func (t *tail) add(b []byte) {
	if over := len(t.kept) + len(b) - 2*tailSize; over > 0 {
		// Drop at most once per tailSize bytes, to copy less. message cuts what is above the size until then.
		t.cut = true
		if len(b) > tailSize {
			b = b[len(b)-tailSize:]
		}
		keep := min(len(t.kept), tailSize)
		t.kept = append(t.kept[:0], t.kept[len(t.kept)-keep:]...)
	}
	t.kept = append(t.kept, b...)
}

// message returns the tail as text without white space around it. If bytes were dropped, it starts at the start of
// a line.
func (t *tail) message() string {
	b, cut := t.kept, t.cut
	if len(b) > tailSize {
		b, cut = b[len(b)-tailSize:], true
	}
	s := string(b)
	if cut {
		if end := strings.IndexByte(s, '\n'); end >= 0 && end < len(s)-1 {
			s = s[end+1:]
		}
	}
	return strings.TrimSpace(s)
}

func (t *tail) reset() { t.kept, t.cut = t.kept[:0], false }
