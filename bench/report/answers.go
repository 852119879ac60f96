package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// Answer is one of the questions that a report is opened for: what the data say, by how much, how surely, by which clock. Every form of the
// report takes its first lines from these.
type Answer struct {
	Question  string        `json:"question"`
	Answer    string        `json:"answer"`
	Source    record.Source `json:"source"`
	Clock     Clock         `json:"clock,omitempty"`
	Ratio     *float64      `json:"ratio"` // by how much, where one ratio says it; null: Answer says all
	CI        *[2]float64   `json:"ratio_ci95"`
	Sure      string        `json:"sure"`                // "told apart", "a tie", "predicted, not measured", or what it would take
	Predicted bool          `json:"predicted,omitempty"` // of AWS, from what the lab counted
}

// The words of Sure.
const (
	toldApart      = "told apart"
	aTie           = "a tie"
	onlyPredicted  = "predicted, not measured"
	notTestedWords = "not tested"
)

// answers are of each source that was measured, in the order of their weight.
func answers(rep *Report, sequences []*sequence) []Answer {
	out := []Answer{}
	var failed []string
	for i := range rep.Arms {
		if a := &rep.Arms[i]; a.failed() {
			failed = append(failed, a.Arm+": "+a.LastError)
		}
	}
	if n := len(failed); n > 0 {
		out = append(out, Answer{Question: "What failed?", Source: rep.Sources[0], Answer: failed[0] + map[bool]string{true: fmt.Sprintf(", and %d more", n-1)}[n > 1]})
	}
	if measured := slices.DeleteFunc(slices.Clone(rep.Arms), func(a Arm) bool { return a.Published != "" || a.failed() }); len(measured) == 1 {
		return append(out, alone(&measured[0])...)
	}
	for _, s := range sequences {
		if s.contests[0][ClockInit].published != "" {
			continue
		}
		add := func(a Answer, ok bool) {
			if a.Source = s.source(); ok {
				out = append(out, a)
			}
		}
		add(s.fastest())
		add(s.decides(rep))
		for _, q := range []struct{ id, asks string }{{"compressed", "Does compressing pay?"}, {"padded", "Does file size without code matter?"}} {
			add(s.asked(rep, q.id, q.asks))
		}
		add(s.zipOrImage(rep))
		add(s.costs(rep))
		add(s.sure())
	}
	return out
}

// failed is whether an arm has nothing but failures.
func (a *Arm) failed() bool { return a.InitCount+a.Warm.Count == 0 && a.LastError != "" }

// fastest is the primary claim.
func (s *sequence) fastest() (a Answer, ok bool) {
	var who, same []string
	var first *Claim
	a = Answer{Question: "Which is fastest?", Sure: notTestedWords}
	for i := range s.claims {
		c := &s.claims[i]
		if !c.Primary {
			continue
		}
		ok, a.Clock = true, c.Clock
		switch {
		case c.Told():
			a.Sure = toldApart
		case c.Tested && a.Sure == notTestedWords:
			a.Sure = aTie
		}
		if first != nil && c.Told() && slices.Equal(builds(s.rep, first), builds(s.rep, c)) {
			same = append(same, c.Among)
			continue
		}
		if first == nil {
			first = c
		}
		text := lead(s.rep, c)
		if c.Among != "" {
			text = "as " + c.Among + " " + text
		}
		who = append(who, text)
	}
	a.Answer = strings.Join(who, "; ")
	if len(same) > 0 {
		a.Answer += sameWinner + list(same)
	}
	return a, ok
}

// decides is the factor with the largest share of the variance, and how far its levels lie apart.
func (s *sequence) decides(rep *Report) (a Answer, ok bool) {
	for i := range rep.Factors {
		f := &rep.Factors[i]
		if !s.told || f.Source != s.source() || len(f.Terms) == 0 {
			continue
		}
		top := slices.MaxFunc(f.Terms, func(x, y Term) int { // interactions do not count
			return cmp.Or(-cmp.Compare(strings.Count(x.Term, " x "), strings.Count(y.Term, " x ")), cmp.Compare(x.Share, y.Share))
		})
		var most *Effect
		for k := range f.Effects {
			if e := &f.Effects[k]; e.Factor == top.Term && e.Within == "" && e.Told && (most == nil || math.Abs(math.Log(e.Ratio)) > math.Abs(math.Log(most.Ratio))) {
				most = e
			}
		}
		if most == nil {
			continue
		}
		return Answer{Question: "What decides?", Clock: ClockInit, Ratio: new(most.Ratio), CI: &most.CI, Sure: toldApart,
			Answer: fmt.Sprintf("the %s, %.0f %% of the variance of log INIT: up to %.2fx [%.2f, %.2f], %s against %s", top.Term, 100*top.Share, most.Ratio, most.CI[0], most.CI[1], most.Level, most.Than)}, true
	}
	return a, false
}

// asked is a question of folklore: the pair that differs most.
func (s *sequence) asked(rep *Report, id, asks string) (a Answer, ok bool) {
	for i := range rep.Verdict.Claims {
		c := &rep.Verdict.Claims[i]
		if c.Question != id || !s.has(c.Source, c.Published) || len(c.Pairs) == 0 {
			continue
		}
		most := slices.MaxFunc(c.Pairs, func(x, y Comparison) int {
			far := func(c Comparison) float64 { return math.Abs(math.Log(c.Ratio)) + map[bool]float64{true: 1e6}[c.Told] }
			return cmp.Compare(far(x), far(y))
		})
		a = Answer{Question: asks, Clock: c.Clock, Ratio: new(most.Ratio), CI: new(most.CI), Sure: aTie, Answer: fmt.Sprintf("no difference told: %s against %s %s", most.Arm, most.Than, ratio(most))}
		if most.Told {
			a.Sure, a.Answer = toldApart, fmt.Sprintf("%s: %s against %s", plain(most), most.Arm, most.Than)
		}
		return a, true
	}
	return a, false
}

// zipOrImage is measured on AWS; of the lab it is predicted.
func (s *sequence) zipOrImage(rep *Report) (a Answer, ok bool) {
	const asks = "ZIP or image?"
	if s.source() != record.Lab {
		a = Answer{Question: asks, Clock: ClockInit, Sure: aTie}
		var texts []string
		for i := range rep.Verdict.Claims {
			c := &rep.Verdict.Claims[i]
			if c.Clock != ClockInit || c.Question != "image" && c.Question != "image-minimal" || !s.has(c.Source, c.Published) {
				continue
			}
			if slices.ContainsFunc(c.Pairs, func(p Comparison) bool { return p.Told }) {
				a.Sure = toldApart
			}
			texts = append(texts, strings.TrimSuffix(c.Text, "."))
		}
		a.Answer = strings.Join(texts, "; ")
		return a, len(texts) > 0
	}
	names := map[arm.Package][]string{}
	for i := range rep.Arms {
		if r := &rep.Arms[i]; r.PredictedAWS != nil && r.Package == arm.ZIP && r.PredictedAWS.Image != nil {
			names[r.PredictedAWS.Faster] = append(names[r.PredictedAWS.Faster], fmt.Sprintf("%s (%.0f against %.0f ms)", r.Bootstrap, r.PredictedAWS.ZIP, *r.PredictedAWS.Image))
		}
	}
	var parts []string
	for _, k := range []struct {
		kind arm.Package
		says string
	}{{arm.ZIP, "ZIP for"}, {arm.Image, "image for"}, {"", "too close to call for"}} {
		if len(names[k.kind]) > 0 {
			which := list(names[k.kind])
			if n := len(names[k.kind]); k.kind == "" && n > 2 {
				which = fmt.Sprintf("%d others", n)
			}
			parts = append(parts, k.says+" "+which)
		}
	}
	return Answer{Question: asks, Clock: ClockInit, Predicted: true, Sure: onlyPredicted,
		Answer: "not measurable in the lab; predicted on AWS: " + strings.Join(parts, "; ")}, len(parts) > 0
}

// costs is which arms cost least.
func (s *sequence) costs(rep *Report) (a Answer, ok bool) {
	if rep.Cost == nil {
		return a, false
	}
	var texts []string
	a = Answer{Question: "What does it cost?", Sure: aTie}
	for _, c := range rep.Cost.Cheapest {
		if c.Source != s.source() || len(texts) > 0 { // the other kinds of package are in the section on costs
			continue
		}
		if c.Told {
			a.Sure = toldApart
		}
		text := c.Text
		if c.Among != "" {
			text = "as " + c.Among + " " + text
		}
		texts = append(texts, text)
	}
	a.Answer = strings.Join(texts, "; ")
	return a, len(texts) > 0
}

// sure is what these samples can tell.
func (s *sequence) sure() (a Answer, ok bool) {
	worst := 0.0
	for i := range s.claims {
		if c := &s.claims[i]; c.Primary && c.Detects != nil {
			worst, a.Clock = max(worst, *c.Detects), c.Clock
		}
	}
	return Answer{Question: "How sure?", Clock: a.Clock, Ratio: number(worst),
		Answer: fmt.Sprintf("differences from %.2fx on are told in 80 %% of such runs; for smaller ones: twinstart plan --effect 5%%", worst)}, worst > 1
}
