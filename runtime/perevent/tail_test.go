//go:build linux

package perevent

import (
	"strings"
	"testing"
)

// TestTail compares the tail, for bytes that arrive in any pieces, with its definition: the last bytes, from the
// start of a line.
func TestTail(t *testing.T) {
	var text strings.Builder
	for i := range 3000 {
		text.WriteString(strings.Repeat("x", i%17))
		text.WriteString(" end\n")
	}
	for _, size := range []int{0, 1, 100, tailSize - 1, tailSize, tailSize + 1, 2 * tailSize, 3*tailSize + 7, text.Len()} {
		whole := text.String()[:size]
		want := whole
		if len(want) > tailSize {
			want = want[len(want)-tailSize:]
			want = want[strings.IndexByte(want, '\n')+1:]
		}
		want = strings.TrimSpace(want)
		for _, step := range []int{1, 7, 4096, 5000, 100_000} {
			var kept tail
			for rest := whole; rest != ""; {
				n := min(step, len(rest))
				kept.add([]byte(rest[:n]))
				rest = rest[n:]
			}
			if got := kept.message(); got != want {
				t.Errorf("%d bytes, %d at a time: got %d bytes, want %d", size, step, len(got), len(want))
			}
			if cap(kept.kept) > 8*tailSize {
				t.Errorf("%d bytes, %d at a time: keeps %d bytes", size, step, cap(kept.kept))
			}
		}
	}
	var line tail
	line.add([]byte(strings.Repeat("y", 3*tailSize)))
	if got := line.message(); got != strings.Repeat("y", tailSize) {
		t.Errorf("one long line: got %d bytes, want its last %d", len(got), tailSize)
	}
}
