package readahead_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/probe/readahead"
)

// runs lists the pages that are in memory, for example "0-3 16".
func runs(pages []byte) string {
	var out []string
	for i := 0; i < len(pages); i++ {
		if pages[i]&1 == 0 {
			continue
		}
		first := i
		for i+1 < len(pages) && pages[i+1]&1 == 1 {
			i++
		}
		if first == i {
			out = append(out, fmt.Sprint(i))
		} else {
			out = append(out, fmt.Sprintf("%d-%d", first, i))
		}
	}
	return strings.Join(out, " ")
}

// The wanted pages were worked out by hand from mm/filemap.c and mm/readahead.c. In touch, "f3" is a fault of page 3 and
// "r3" a read of it. A read-ahead of 128 KiB is 32 pages.
func TestWindows(t *testing.T) {
	for _, test := range []struct {
		name      string
		size      int64 // pages
		readAhead int   // KiB
		touch     string
		want      string
	}{
		{"no touch", 100, 128, "", ""},
		{"no read-ahead", 100, 0, "f3 f50 r7", "3 7 50"},
		{"a fault reads a window around its page", 200, 128, "f100", "84-115"},
		{"at the beginning of the file the window moves right", 200, 128, "f3", "0-31"},
		{"at the end of the file the window is cut", 110, 128, "f100", "84-109"},
		{"a touch within a window reads nothing", 200, 128, "f100 f90", "84-115"},
		{"a touch of the window's mark reads the next window", 200, 128, "f100 f108", "84-147"},
		{"the next window begins with a mark", 300, 128, "f100 f108 f116", "84-179"},
		{"a second touch of a mark reads nothing", 200, 128, "f100 f108 f108", "84-147"},
		{"the mark of an older window reads the pages behind that window", 400, 128, "f100 f300 f108", "84-147 284-315"},
		{"a page that was in memory before the window has no mark", 200, 128, "f108 f90 f98", "74-123"},
		{"read(2) of the beginning, as exec does", 200, 128, "r0", "0-3"},
		{"a fault of the mark that read(2) set", 200, 128, "r0 f1", "0-11"},
		{"read(2) in order", 200, 128, "r0 r1 r2 r3 r4", "0-27"},
		{"read(2) of one page farther away", 200, 128, "r0 r100", "0-3 100"},
		{"another read-ahead", 200, 64, "f100", "92-107"},
		{"pages outside of the file", 10, 128, "f10 f-1 r99", ""},
		{"a small file", 2, 128, "f1", "0-1"},
	} {
		f := readahead.New(test.size*readahead.PageSize, test.readAhead)
		for touch := range strings.FieldsSeq(test.touch) {
			var kind rune
			var page int
			if _, err := fmt.Sscanf(touch, "%c%d", &kind, &page); err != nil {
				t.Fatal(err)
			}
			if kind == 'f' {
				f.Fault(page)
			} else {
				f.Read(page)
			}
		}
		if got := runs(f.Pages()); got != test.want {
			t.Errorf("%s: %q leaves %q in memory, want %q", test.name, test.touch, got, test.want)
		}
	}
}
