package main

// tail keeps the last bytes of stderr, which become the message of an error.
var tail struct {
	kept [2 * tailSize]byte
	n    int
	cut  bool // earlier bytes were dropped
}

// tailSize is how many bytes of stderr become a message.
const tailSize = 4 << 10

func resetTail() { tail.n, tail.cut = 0, false }

func addToTail(b []byte) {
	if len(b) > tailSize {
		b, tail.cut = b[len(b)-tailSize:], true
	}
	if tail.n+len(b) > len(tail.kept) {
		tail.n, tail.cut = copy(tail.kept[:], tail.kept[max(tail.n-tailSize, 0):tail.n]), true
	}
	tail.n += copy(tail.kept[tail.n:], b)
}

// lastWords returns the tail as text without white space around it. If bytes were dropped, it starts at the start
// of a line.
func lastWords() string {
	b, cut := tail.kept[:tail.n], tail.cut
	if len(b) > tailSize {
		b, cut = b[len(b)-tailSize:], true
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
	return asString(b)
}

func space(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }
