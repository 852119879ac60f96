package readahead_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/probe/readahead"
)

// runs writes pages in memory as runs: 0-3 16.
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

// Windows as mm/filemap.c and mm/readahead.c have them, by hand. Read-ahead of 128 KiB is 32 pages.
func TestWindows(t *testing.T) {
	for _, test := range []struct {
		name      string
		size      int64 // pages
		readAhead int   // KiB
		touch     string
		want      string
	}{
		{"nothing", 100, 128, "", ""},
		{"no read-ahead", 100, 0, "f3 f50 r7", "3 7 50"},
		{"around a page", 200, 128, "f100", "84-115"},
		{"at the beginning the window is cut to the right only", 200, 128, "f3", "0-31"},
		{"at the end it is cut to the left only", 110, 128, "f100", "84-109"},
		{"a touch within a window reads nothing", 200, 128, "f100 f90", "84-115"},
		{"a touch of its mark reads the window behind it", 200, 128, "f100 f108", "84-147"},
		{"and that begins with a mark", 300, 128, "f100 f108 f116", "84-179"},
		{"a mark counts once", 200, 128, "f100 f108 f108", "84-147"},
		{"the mark of an older window reads up to what is missing", 400, 128, "f100 f300 f108", "84-147 284-315"},
		{"what is in memory has no mark", 200, 128, "f108 f90 f98", "74-123"},
		{"the beginning by read(2), as exec does", 200, 128, "r0", "0-3"},
		{"then its mark by a fault", 200, 128, "r0 f1", "0-11"},
		{"read(2) in order", 200, 128, "r0 r1 r2 r3 r4", "0-27"},
		{"read(2) of one page far off", 200, 128, "r0 r100", "0-3 100"},
		{"another read-ahead", 200, 64, "f100", "92-107"},
		{"beyond the file", 10, 128, "f10 f-1 r99", ""},
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
