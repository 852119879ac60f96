package staticbash

import (
	"debug/elf"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
)

// maxPacked limits the packed part, in bytes. A cold start reads all of it, and the file's first page.
const maxPacked = 212 << 10

// Without the order a cold start would read pages in the whole file, and no other test would notice.
func TestWhatAColdStartTouchesIsPacked(t *testing.T) {
	for _, a := range []arm.Architecture{arm.X8664, arm.ARM64} {
		path := built(t, a)
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		memory, packed := f.Progs[len(f.Progs)-2], f.Progs[len(f.Progs)-1]
		if memory.Type != elf.PT_LOAD || memory.Filesz != 0 || memory.Memsz < 300<<10 {
			t.Errorf("%s: %d bytes of memory are for what is unpacked: the names in order.txt are not those of this build", a, memory.Memsz)
		}
		if packed.Type != elf.PT_LOAD || packed.Off+packed.Filesz != uint64(info.Size()) {
			t.Errorf("%s: what is packed does not end with the file", a)
		}
		if !slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool {
			return p.Type == elf.PT_LOAD && f.Entry >= p.Vaddr && f.Entry < p.Vaddr+p.Filesz && p.Off+f.Entry-p.Vaddr < 4*page
		}) {
			t.Errorf("%s: starts at %#x, which is not in the first pages", a, f.Entry)
		}
		if packed.Filesz > maxPacked {
			t.Errorf("%s: %d bytes are packed, more than %d", a, packed.Filesz, maxPacked)
		}
	}
}

func TestOrderIsAListOfSections(t *testing.T) {
	order, err := inputs.ReadFile("order.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(order)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if strings.Trim(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._*") != "" ||
			!strings.HasPrefix(line, ".text") && !strings.HasPrefix(line, ".rodata") {
			t.Errorf("%q is not a pattern of a section", line)
		}
		if seen[line] {
			t.Errorf("%s is listed twice", line)
		}
		seen[line] = true
	}
}
