package table

import (
	"strings"
	"testing"
)

// sample has everything that a table can have.
func sample() Table {
	t := Table{Title: "Cold | starts", Note: "a note of several words", Heads: Heads(1, "arm", "INIT\nms", "cold")}
	t.Heads = append(t.Heads, Head{Text: "why", Left: true})
	t.Add("zip", "10.00", "-", "its pages are read one after the other, from the first to the last")
	t.Rows = append(t.Rows, Row{Cells: []string{"bashtcp*", "9.50", "-", ""}, Best: true, Arm: "1"})
	t.Add("image", "not measured: no such package in this folder")
	return t
}

func TestText(t *testing.T) {
	for name, test := range map[string]struct {
		width int
		want  string
	}{
		"any width": {0, `
Cold | starts
           INIT
arm          ms  cold  why
zip       10.00     -  its pages are read one after the other, from the first to the last
bashtcp*   9.50     -
image     not measured: no such package in this folder
a note of several words
`},
		"narrow: the last column is wrapped": {64, `
Cold | starts
           INIT
arm          ms  cold  why
zip       10.00     -  its pages are read one after the other,
                       from the first to the last
bashtcp*   9.50     -
image     not measured: no such package in this folder
a note of several words
`},
		"very narrow: the last column has lines of its own": {30, `
Cold | starts
           INIT
arm          ms  cold  why
zip       10.00     -
    its pages are read one
    after the other, from the
    first to the last
bashtcp*   9.50     -
image
    not measured: no such
    package in this folder
a note of several words
`},
	} {
		if got := sample().Text(test.width); got != test.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Signs of Markdown in a title or a cell are escaped.
func TestMarkdown(t *testing.T) {
	if got := sample().Markdown(); got != `
### Cold \| starts

| arm | INIT ms | cold | why |
| --- | ---: | ---: | --- |
| zip | 10.00 | - | its pages are read one after the other, from the first to the last |
| **bashtcp\*** | 9.50 | - |  |
| image | not measured: no such package in this folder |  |  |

a note of several words
` {
		t.Error(got)
	}
}

func TestFittingLeavesOutColumns(t *testing.T) {
	var b strings.Builder
	if err := sample().Fitting(20).CSV(&b); err != nil || b.String() != "arm,\"INIT\nms\"\nzip,10.00\nbashtcp*,9.50\nimage,not measured: no such package in this folder\n" {
		t.Errorf("%v\n%s", err, &b)
	}
}
