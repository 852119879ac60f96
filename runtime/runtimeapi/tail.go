package runtimeapi

// TailSize is how many bytes of stderr become the message of an error.
const TailSize = 4 << 10

// Tail keeps the last TailSize bytes of stderr in memory of its own. The zero value is empty.
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
