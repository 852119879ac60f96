package table

import (
	"strings"
	"testing"
)

// sample is a table with all kinds of cells: words, figures, missing figures, and a short row.
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
		"as wide as it needs to be": {0, `
Cold | starts
           INIT
arm          ms  cold  why
zip       10.00     -  its pages are read one after the other, from the first to the last
bashtcp*   9.50     -
image     not measured: no such package in this folder
a note of several words
`},
		"words of the last column go on below": {64, `
Cold | starts
           INIT
arm          ms  cold  why
zip       10.00     -  its pages are read one after the other,
                       from the first to the last
bashtcp*   9.50     -
image     not measured: no such package in this folder
a note of several words
`},
		"words are on their own lines if room is short": {30, `
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

// Characters that mean something in Markdown are escaped in titles and cells.
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

func TestFittingLeavesOutWhatSaysNothing(t *testing.T) {
	var b strings.Builder
	if err := sample().Fitting(20).CSV(&b); err != nil || b.String() != "arm,\"INIT\nms\"\nzip,10.00\nbashtcp*,9.50\nimage,not measured: no such package in this folder\n" {
		t.Errorf("%v\n%s", err, &b)
	}
}
