package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// question is a common belief about pairs of arms: does the first take longer than the second? The arms are chosen by
// their properties.
type question struct {
	id, asks string
	// pair reports whether to compare a with b, and names the pair in the answer.
	pair func(a, b *group) (name string, ok bool)
}

var questions = []question{
	{"image", "image against ZIP", packages(arm.Image)},
	{"image-minimal", "minimal image against ZIP", packages(arm.ImageMinimal)},
	{"compressed", "compressed against plain", variants(compressed)},
	{"padded", "more bytes that are not read", variants(padded)},
}

// packages pairs an image with a ZIP of the same code.
func packages(kind arm.Package) func(x, y *group) (string, bool) {
	return func(x, y *group) (string, bool) {
		return x.bootstrap, x.kind == kind && y.kind == arm.ZIP && x.bootstrap == y.bootstrap && x.bootstrap != ""
	}
}

// variants pairs a variant of a build with the build itself, in the same kind of package: "f-upx" is a variant of
// "f".
func variants(is func(variant, plain *group) bool) func(x, y *group) (string, bool) {
	return func(x, y *group) (string, bool) {
		name := fmt.Sprintf("%s against %s", x.bootstrap, y.bootstrap)
		if x.kind != "" {
			name += " as " + string(x.kind)
		}
		related := y.bootstrap != "" && strings.HasPrefix(x.bootstrap, y.bootstrap+"-") && x.kind == y.kind
		return name, related && x.sizeBytes > 0 && y.sizeBytes > 0 && is(x, y)
	}
}

// compressed reports whether x is a smaller file than y, and its name has "upx" or, unlike y, it is read as a whole.
func compressed(x, y *group) bool {
	whole := func(g *group) bool { r := g.read(); return r > 0.97*float64(g.sizeBytes)/1024 }
	return x.sizeBytes < y.sizeBytes && (strings.Contains(x.bootstrap, "upx") || whole(x) && !whole(y) && y.read() > 0)
}

// padded reports whether x is at least 1.5 times as large as y, and less than a twentieth of the additional bytes are
// read.
func padded(x, y *group) bool {
	if 2*x.sizeBytes < 3*y.sizeBytes {
		return false
	}
	if r := y.read(); r > 0 && x.read() > 0 {
		return x.read()-r < float64(x.sizeBytes-y.sizeBytes)/1024/20
	}
	return strings.Contains(x.bootstrap, "padded")
}

// read returns the KiB that are read before GET /next, or 0 if unknown.
func (g *group) read() float64 {
	return orZero(cmp.Or(g.counted.InitPackageReadKiB, g.readStart()))
}

// readStart returns the median KiB of measured starts, or nil if unknown.
func (g *group) readStart() *float64 {
	return median(column(g.cold, func(c *coldSample) float64 { return c.readKiB }))
}

// folklore answers the questions for the pairs that were measured. It uses the tests of the claims and adds none.
func folklore(contests []map[Clock]*contest) (out []*Claim) {
	for _, q := range questions {
		for _, clock := range []Clock{ClockInit, ClockWait} {
			claim := &Claim{Topic: "folklore", Question: q.id, Clock: clock, At: UsuallyFaster, Winners: []string{}}
			var texts []string
			for _, clocks := range contests {
				c := clocks[clock]
				claim.Source, claim.Published = c.source, c.published
				for _, pair := range c.answer(q) {
					texts, claim.Pairs = append(texts, pair.name+": "+plain(pair)), append(claim.Pairs, pair)
				}
			}
			if len(texts) > 0 {
				claim.Tested = true
				claim.Text = fmt.Sprintf("%s, by %s. %s.", q.asks, clock, strings.Join(texts, "; "))
				out = append(out, claim)
			}
		}
	}
	return out
}

// answer returns the pairs that a question is about, sorted by name. Pairs that were not tested are left out.
func (c *contest) answer(q question) (all []Comparison) {
	for i := range c.pairs {
		for j := range c.pairs {
			a, b := c.arms[i], c.arms[j]
			name, ok := q.pair(a.group, b.group)
			if !ok || !alike(a.group, b.group) || c.pairs[i][j].why != "" {
				continue
			}
			if rest, ok := strings.CutPrefix(a.label, a.group.arm); ok && rest != "" {
				name += rest // "@128"
			}
			pair := c.comparison(i, j)
			pair.name = name
			all = append(all, pair)
		}
	}
	slices.SortFunc(all, func(a, b Comparison) int { return strings.Compare(a.name, b.name) })
	return all
}

// alike reports whether two arms differ in bootstrap and package only.
func alike(a, b *group) bool {
	x, y := a.identity, b.identity
	x.arm, y.arm = "", ""
	return x == y
}
