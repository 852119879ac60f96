package probe

import (
	"slices"
	"testing"
)

// of returns a start that touches pages of one file of 4 MiB, in this order. A negative number stands for a page that was
// read without a fault.
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
		"one start": {[]*touches{of(3, 1, 2)}, []int{3, 1, 2}},
		"pages of fewer than half of the starts are left out":      {[]*touches{of(1, 2), of(1, 2, 900), of(1, 2), of(1, 500, 2), of(1, 2)}, []int{1, 2}},
		"pages of half of the starts are kept":                     {[]*touches{of(1, 2), of(1)}, []int{1, 2}},
		"pages are ordered by their median rank":                   {[]*touches{of(1, 2, 3), of(1, 2, 3), of(3, 1, 2)}, []int{1, 2, 3}},
		"a page that is left out changes no rank":                  {[]*touches{of(1, 2, 3), of(9, 1, 2, 3), of(1, 2, 3)}, []int{1, 2, 3}},
		"the majority says whether a page was read or had a fault": {[]*touches{of(-7, 1), of(-7, 1), of(7, 1)}, []int{-7, 1}},
		"pages of the same rank are in the order of the file":      {[]*touches{of(1, 2), of(2, 1)}, []int{1, 2}},
		"no page was touched":                                      {[]*touches{of(), of()}, nil},
	} {
		if got := numbers(typical(test.starts)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// Odd starts must not change the count if they are fewer than half. If they are a third or more, unsure reports true.
func TestOddStartsChangeNoCount(t *testing.T) {
	t.Parallel()
	plain, odd := of(0, 40, 80), of(0, 40, 80, 600, 700)
	want := plain.count(128, 0).PackageKiB
	if more := odd.count(128, 0).PackageKiB; more != want+256 {
		t.Fatalf("two windows of 128 KiB more make %d KiB, want %d", more, want+256)
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
		t.Errorf("one of three starts is odd, but the standard error is %v", e)
	}
	if e := standardError([]*touches{plain, plain, plain}, 128, 0); e != 0 {
		t.Errorf("the starts are equal, but the standard error is %v", e)
	}
}

// If pages were recorded with the read-ahead that is counted, no read-ahead may be added to them.
func TestPagesRecordedWithReadAhead(t *testing.T) {
	t.Parallel()
	if kib := of(-1, -2, -300).count(128, 128).PackageKiB; kib != 12 {
		t.Errorf("three pages in memory are counted as %d KiB", kib)
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
