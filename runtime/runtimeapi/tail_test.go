package runtimeapi

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
	for _, size := range []int{0, 1, 100, TailSize - 1, TailSize, TailSize + 1, 2 * TailSize, 3*TailSize + 7, text.Len()} {
		whole := text.String()[:size]
		want := whole
		if len(want) > TailSize {
			want = want[len(want)-TailSize:]
			want = want[strings.IndexByte(want, '\n')+1:]
		}
		want = strings.TrimSpace(want)
		for _, step := range []int{1, 7, 4096, 5000, 100_000} {
			var kept Tail
			for rest := whole; rest != ""; {
				n := min(step, len(rest))
				kept.Add([]byte(rest[:n]))
				rest = rest[n:]
			}
			if got := string(kept.Message()); got != want {
				t.Errorf("%d bytes, %d at a time: got %d bytes, want %d", size, step, len(got), len(want))
			}
		}
	}
	var line Tail
	line.Add([]byte(strings.Repeat("y", 3*TailSize)))
	if got := string(line.Message()); got != strings.Repeat("y", TailSize) {
		t.Errorf("one long line: got %d bytes, want its last %d", len(got), TailSize)
	}
}
