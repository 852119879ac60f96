package probe

import (
	"slices"
	"testing"
)

// of returns a start that touches pages of one file of 4 MiB in this order. A negative number is a page that was read
// without a fault.
func of(pages ...int) *touches {
	t := &touches{next: len(pages), files: map[string]File{"/f": {Path: "/f", Package: true, Size: 4 << 20}}}
	for _, n := range pages {
		if n < 0 {
			t.pages = append(t.pages, touch{page: page{"/f", -n}})
			continue
		}
		t.pages = append(t.pages, touch{page{"/f", n}, &Fault{Path: "/f", Offset: uint64(n) << 12}})
	}
	return t
}

func numbers(t *touches) (out []int) {
	for _, touch := range t.pages {
		if touch.fault == nil {
			out = append(out, -touch.number)
		} else {
			out = append(out, touch.number)
		}
	}
	return out
}

func TestTypicalStart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		starts []*touches
		want   []int
	}{
		"one":                              {[]*touches{of(3, 1, 2)}, []int{3, 1, 2}},
		"pages of fewer than half are odd": {[]*touches{of(1, 2), of(1, 2, 900), of(1, 2), of(1, 500, 2), of(1, 2)}, []int{1, 2}},
		"half is enough":                   {[]*touches{of(1, 2), of(1)}, []int{1, 2}},
		"the median rank":                  {[]*touches{of(1, 2, 3), of(1, 2, 3), of(3, 1, 2)}, []int{1, 2, 3}},
		"an odd page moves no other":       {[]*touches{of(1, 2, 3), of(9, 1, 2, 3), of(1, 2, 3)}, []int{1, 2, 3}},
		"read or faulted by majority":      {[]*touches{of(-7, 1), of(-7, 1), of(7, 1)}, []int{-7, 1}},
		"ties in the order of the file":    {[]*touches{of(1, 2), of(2, 1)}, []int{1, 2}},
		"nothing was touched":              {[]*touches{of(), of()}, nil},
	} {
		if got := numbers(typical(test.starts)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// Unusual starts do not change the count if they are fewer than half. From a third on, unsure reports true.
func TestOddStartsMoveNoCount(t *testing.T) {
	t.Parallel()
	plain, odd := of(0, 40, 80), of(0, 40, 80, 600, 700)
	want := plain.count(128, 0).PackageKiB
	if more := odd.count(128, 0).PackageKiB; more != want+256 {
		t.Fatalf("two pages far off read %d KiB more than %d", more-want, want)
	}
	for _, test := range []struct {
		starts []*touches
		unsure bool
	}{
		{[]*touches{plain, plain, odd, plain, plain}, false},
		{[]*touches{plain, odd, odd, plain, plain}, true},
		{[]*touches{plain, odd, odd, plain, plain, plain, plain}, false},
		{[]*touches{plain, odd, odd, plain, plain, plain, odd}, true},
	} {
		if got := typical(test.starts).count(128, 0).PackageKiB; got != want {
			t.Errorf("%d starts: %d KiB, want %d", len(test.starts), got, want)
		}
		if got := unsure(test.starts, 128, 0); got != test.unsure {
			t.Errorf("%d starts: unsure %v", len(test.starts), got)
		}
	}
	if e := standardError([]*touches{plain, plain, odd}, 128, 0); e <= 0 {
		t.Errorf("a start of three is odd, and the standard error %v", e)
	}
	if e := standardError([]*touches{plain, plain, plain}, 128, 0); e != 0 {
		t.Errorf("equal starts, and a standard error of %v", e)
	}
}

// Pages that were recorded with a read-ahead are not read ahead again.
func TestCountedWithItsReadAhead(t *testing.T) {
	t.Parallel()
	if kib := of(-1, -2, -300).count(128, 128).PackageKiB; kib != 12 {
		t.Errorf("three pages in memory are %d KiB", kib)
	}
}

func TestWithoutPreemption(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ own, want []string }{
		{[]string{"A=1"}, []string{"A=1", "GODEBUG=asyncpreemptoff=1"}},
		{[]string{"GODEBUG=http2client=0", "A=1"}, []string{"GODEBUG=http2client=0,asyncpreemptoff=1", "A=1"}},
		{[]string{"GODEBUG="}, []string{"GODEBUG=asyncpreemptoff=1"}},
		{[]string{"GODEBUG=gctrace=1,asyncpreemptoff=0"}, []string{"GODEBUG=gctrace=1,asyncpreemptoff=0"}},
		{[]string{"MYGODEBUG=x"}, []string{"MYGODEBUG=x", "GODEBUG=asyncpreemptoff=1"}},
	} {
		given := slices.Clone(test.own)
		if got := withoutPreemption(test.own); !slices.Equal(got, test.want) || !slices.Equal(test.own, given) {
			t.Errorf("%q: %q, want %q", given, got, test.want)
		}
	}
}
