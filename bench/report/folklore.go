package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// question is something that everybody says, as pairs of arms: does the first take longer than the second?
type question struct {
	asks   string
	clocks []Clock
	// pair says whether a is to be compared with b, and by which name the pair goes in the answer.
	pair func(a, b *group) (name string, ok bool)
}

// bothPackagings asks about two bootstraps, in each package that both come in.
func bothPackagings(a, b string) func(x, y *group) (string, bool) {
	return func(x, y *group) (string, bool) {
		return "as " + string(x.kind), x.bootstrap == a && y.bootstrap == b && x.kind == y.kind
	}
}

// packages asks about two packages, with each bootstrap that comes in both.
func packages(a, b arm.Package) func(x, y *group) (string, bool) {
	return func(x, y *group) (string, bool) {
		return x.bootstrap, x.kind == a && y.kind == b && x.bootstrap == y.bootstrap && x.bootstrap != ""
	}
}

var questions = []question{
	{"image against zip", []Clock{ClockInit, ClockWait}, packages(arm.Image, arm.ZIP)},
	{"image-minimal against zip", []Clock{ClockInit, ClockWait}, packages(arm.ImageMinimal, arm.ZIP)},
	{"rawtcp against nethttp (a small binary)", []Clock{ClockInit, ClockWait}, bothPackagings("rawtcp", "nethttp")},
	{"rawtcp-upx against rawtcp (compressed)", []Clock{ClockInit, ClockWait}, bothPackagings("rawtcp-upx", "rawtcp")},
	{"rawtcp-padded against rawtcp (file size without code)", []Clock{ClockInit, ClockWait}, bothPackagings("rawtcp-padded", "rawtcp")},
	{"bashtcp against bashcurl (no curl)", []Clock{ClockTotal}, bothPackagings("bashtcp", "bashcurl")},
}

// folklore answers what people say, for the pairs that were measured. Its tests are of the same family as the contest's.
func folklore(source record.Source, contests map[Clock]*contest) (out []Claim) {
	for _, q := range questions {
		for _, clock := range q.clocks {
			if text := contests[clock].answer(q); text != "" {
				out = append(out, Claim{Topic: "folklore", Source: source, Clock: clock, At: "median", Winners: []string{},
					Text: fmt.Sprintf("%s, by %s: %s.", q.asks, clock, text)})
			}
		}
	}
	return out
}

func (c *contest) answer(q question) string {
	type found struct{ name, text string }
	var answers []found
	for i, a := range c.arms {
		for j, b := range c.arms {
			name, ok := q.pair(a.group, b.group)
			if !ok || !alike(a.group, b.group) {
				continue
			}
			if rest, ok := strings.CutPrefix(a.label, a.group.arm); ok && rest != "" {
				name += rest // "@128"
			}
			answers = append(answers, found{name, name + " " + plain(c.medians(i, j))})
		}
	}
	slices.SortFunc(answers, func(a, b found) int { return strings.Compare(a.name, b.name) })
	var texts []string
	for _, a := range answers {
		texts = append(texts, a.text)
	}
	return strings.Join(texts, "; ")
}

// alike is whether two arms differ in bootstrap and package only.
func alike(a, b *group) bool {
	return a.memory == b.memory && a.architecture == b.architecture && a.handler == b.handler && a.region == b.region && a.published == b.published && a.experiment == b.experiment
}

// plain is a comparison in a few words.
func plain(c Comparison) string {
	if !c.Told {
		return fmt.Sprintf("~ (%s)", ratio(c))
	}
	word := "slower"
	if c.Ratio < 1 {
		word = "faster"
	}
	return fmt.Sprintf("%s, %s", word, ratio(c))
}
