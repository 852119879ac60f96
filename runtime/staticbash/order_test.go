package staticbash

import (
	"debug/elf"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/runtime/arm"
)

// maxHot is how much of the file, from its end, a cold start may read in the worst case, in bytes.
const maxHot = 360 << 10

// Without the order a cold start reads pages all over the file, and no other test would notice.
func TestWhatAColdStartTouchesIsAtTheEnd(t *testing.T) {
	for _, a := range []arm.Architecture{arm.X8664, arm.ARM64} {
		path := built(t, a)
		if path == "" {
			continue
		}
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var offset, end uint64
		for _, name := range []string{".text", ".text.hot", ".rodata.hot", ".data"} {
			s := f.Section(name)
			if s == nil {
				t.Fatalf("%s: no section %s", a, name)
			}
			if s.Offset < end {
				t.Errorf("%s: %s is at %d, before the end of what belongs in front of it, %d", a, name, s.Offset, end)
			}
			if name == ".text.hot" {
				offset = s.Offset
				if s.Size < 200<<10 {
					t.Errorf("%s: %s has %d bytes only: the names in order.txt are not those of this build", a, name, s.Size)
				}
			}
			end = s.Offset + s.Size
		}
		if end-offset > maxHot {
			t.Errorf("%s: %d bytes are touched, more than %d", a, end-offset, maxHot)
		}
	}
}

func TestOrderIsAListOfSections(t *testing.T) {
	seen := map[string]bool{}
	for line := range strings.Lines(order) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if strings.Trim(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._*") != "" ||
			!strings.HasPrefix(line, ".text") && !strings.HasPrefix(line, ".rodata") {
			t.Errorf("%q is no pattern of a section", line)
		}
		if seen[line] {
			t.Errorf("%s is there twice", line)
		}
		seen[line] = true
	}
}
