//go:build linux

package perevent

import "strings"

// tailSize is how much of stderr becomes an error's message, in bytes.
const tailSize = 4 << 10

// tail keeps the last tailSize bytes of a stream.
type tail struct {
	kept []byte
	cut  bool // something before was dropped
}

func (t *tail) add(b []byte) {
	if over := len(t.kept) + len(b) - 2*tailSize; over > 0 {
		// Drop no more often than every tailSize bytes; what is over the size until then is cut in message.
		t.cut = true
		if len(b) > tailSize {
			b = b[len(b)-tailSize:]
		}
		keep := min(len(t.kept), tailSize)
		t.kept = append(t.kept[:0], t.kept[len(t.kept)-keep:]...)
	}
	t.kept = append(t.kept, b...)
}

// message is the tail as text: white space trimmed, and from the start of a line where lines were dropped.
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
