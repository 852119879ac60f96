package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
)

// Answer answers one of the questions that people open a report for: what the data say, by how much, how surely, and
// by which clock. Every form of the report begins with the answers.
type Answer struct {
	Question  string        `json:"question"`
	Answer    string        `json:"answer"`
	Source    record.Source `json:"source"`
	Clock     Clock         `json:"clock,omitempty"`
	Ratio     *float64      `json:"ratio"` // by how much, if one ratio says it; else null
	CI        *[2]float64   `json:"ratio_ci95"`
	Sure      string        `json:"sure"`                // one of the values below
	Predicted bool          `json:"predicted,omitempty"` // for AWS, from the lab's counts
}

// The values of Sure.
const (
	toldApart     = "told apart"
	aTie          = "a tie"
	onlyPredicted = "predicted, not measured"
	notTested     = "not tested"
)

// answers returns the answers for each measured source, the most important first.
func answers(rep *Report, sequences []*sequence) []Answer {
	out := []Answer{}
	var failed []string
	for _, a := range rep.Arms {
		if a.failed() {
			failed = append(failed, a.Arm+": "+a.LastError)
		}
	}
	if len(failed) > 0 {
		text := strings.Join(list.Few(failed, 2), ", and ")
		out = append(out, Answer{Question: "What failed?", Source: rep.Sources[0], Answer: text})
	}
	if load := underLoad(rep, sequences); len(load) > 0 {
		out = append(out, load...)
		for i := range rep.Levers {
			out = append(out, rep.Levers[i].ahead()...)
		}
		return out
	}
	others := func(a *Arm) bool { return a.Published != "" || a.failed() }
	if measured := slices.DeleteFunc(slices.Clone(rep.Arms), others); len(measured) == 1 {
		return append(out, alone(measured[0])...)
	}
	for i := range rep.Levers {
		out = append(out, rep.Levers[i].answer())
	}
	for _, s := range sequences {
		if s.published != "" {
			continue
		}
		add := func(a Answer, ok bool) {
			if a.Source = s.source; ok {
				out = append(out, a)
			}
		}
		add(s.fastest())
		add(s.decides(rep))
		add(s.asked(rep, "Does compressing pay?", "compressed"))
		add(s.asked(rep, "Do unread bytes cost?", "padded"))
		add(s.zipOrImage(rep))
		add(s.costs(rep))
		add(s.sure())
	}
	return out
}

// failed reports whether every sample of the arm is a failure.
func (a *Arm) failed() bool { return a.InitCount+a.Warm.Count == 0 && a.LastError != "" }

// primary returns the primary claims of all parts. Those that tell arms apart come first.
func (s *sequence) primary() []*Claim {
	all := slices.DeleteFunc(slices.Clone(s.claims), func(c *Claim) bool { return !c.Primary })
	told := slices.DeleteFunc(slices.Clone(all), func(c *Claim) bool { return !c.Told() })
	return list.Add(told, all...)
}

// fastest answers from the primary claim: how far the arms of one kind of package lie apart, and the winners of each
// other kind.
func (s *sequence) fastest() (a Answer, ok bool) {
	claims := s.primary()
	if len(claims) == 0 {
		return a, false
	}
	a = Answer{Question: "Which is fastest?", Clock: claims[0].Clock, Sure: notTested}
	var texts []string
	for i, c := range claims {
		text := "no winner"
		switch {
		case i == 0:
			text = c.lead()
		case c.Told():
			text = some(list.Map(c.Winners, c.short))
		}
		if c.Among != "" {
			text = "as " + c.Among + ": " + text
		}
		texts = append(texts, text)
	}
	switch {
	case claims[0].Told():
		a.Sure = toldApart
	case slices.ContainsFunc(claims, func(c *Claim) bool { return c.Tested }):
		a.Sure = aTie
	}
	if n := claims[0].next; n != nil && len(claims) == 1 && len(claims[0].of) == 2 {
		a.Ratio, a.CI = &n.Ratio, &n.CI
	}
	a.Answer = strings.Join(texts, "; ")
	return a, true
}

// decides answers with the factor that has the largest share of the variance, and its level that differs most from the
// reference.
func (s *sequence) decides(rep *Report) (a Answer, ok bool) {
	for i := range rep.Factors {
		f := &rep.Factors[i]
		if !s.told || f.Source != s.source || len(f.Terms) == 0 {
			continue
		}
		order := func(t Term) int { return strings.Count(t.Term, " x ") } // a main effect comes before any interaction
		top := slices.MaxFunc(f.Terms, func(x, y Term) int {
			return cmp.Or(cmp.Compare(order(y), order(x)), cmp.Compare(x.Share, y.Share))
		})
		other := func(e Effect) bool { return e.Factor != top.Term || e.Within != "" || !e.Told }
		told := slices.DeleteFunc(slices.Clone(f.Effects), other)
		if len(told) == 0 {
			continue
		}
		e := slices.MaxFunc(told, func(x, y Effect) int { return cmp.Compare(far(x.Ratio), far(y.Ratio)) })
		unit := map[string]string{"memory": " MB"}[top.Term]
		return Answer{Question: "What decides?", Clock: ClockInit, Ratio: new(e.Ratio), CI: &e.CI, Sure: toldApart,
			Answer: fmt.Sprintf("the %s, %.0f %% of variance: %s%s takes %s as long as %s%s", top.Term, 100*top.Share,
				e.Level, unit, times(Comparison{Ratio: e.Ratio, CI: e.CI}), e.Than, unit)}, true
	}
	return a, false
}

// far returns how far a ratio is from 1, up or down.
func far(ratio float64) float64 { return math.Abs(math.Log(ratio)) }

// asked answers questions of folklore with the pair that differs most. If pairs are told apart in both directions, it
// names one for each.
func (s *sequence) asked(rep *Report, asks string, ids ...string) (a Answer, ok bool) {
	a = Answer{Question: asks, Clock: ClockInit, Sure: aTie}
	var texts []string
	for _, c := range rep.Verdict.Claims {
		of := side{source: c.Source, published: c.Published}
		if !slices.Contains(ids, c.Question) || c.Clock != ClockInit || s.side != of {
			continue
		}
		byFar := func(x, y Comparison) int { return cmp.Compare(far(y.Ratio), far(x.Ratio)) }
		pairs := slices.SortedFunc(slices.Values(c.Pairs), byFar)
		before := len(texts)
		for _, faster := range []bool{true, false} {
			if i := slices.IndexFunc(pairs, func(p Comparison) bool { return p.Told && (p.Ratio < 1) == faster }); i >= 0 {
				most := &pairs[i]
				a.Sure, a.Ratio, a.CI = toldApart, &most.Ratio, &most.CI
				texts = append(texts, fmt.Sprintf("%s: %s against %s", plain(*most), most.Arm, most.Than))
			}
		}
		if most := &pairs[0]; len(texts) == before {
			a.Ratio, a.CI = &most.Ratio, &most.CI
			texts = append(texts, fmt.Sprintf("no effect found: %s against %s, %s", most.Arm, most.Than, times(*most)))
		}
	}
	if len(texts) > 1 { // one ratio does not say it
		a.Ratio, a.CI = nil, nil
	}
	a.Answer = strings.Join(texts, "; ")
	return a, len(texts) > 0
}

// zipOrImage answers from predictions for the lab, which does not compare the two.
func (s *sequence) zipOrImage(rep *Report) (a Answer, ok bool) {
	if s.source == record.AWS {
		return s.asked(rep, "ZIP or image?", "image", "image-minimal")
	}
	faster := map[arm.Package][]string{}
	for _, r := range rep.Arms {
		if p := r.PredictedAWS; p != nil && r.Package == arm.ZIP && p.Image != nil {
			faster[p.Faster] = list.Add(faster[p.Faster], r.Bootstrap)
		}
	}
	var texts []string
	says := map[arm.Package]string{arm.ZIP: "ZIP for ", arm.Image: "image for ", "": "too close to tell for "}
	for _, kind := range []arm.Package{arm.ZIP, arm.Image, ""} {
		if names := faster[kind]; names != nil {
			texts = append(texts, says[kind]+some(names))
		}
	}
	return Answer{Question: "ZIP or image?", Clock: ClockInit, Sure: onlyPredicted, Predicted: true,
		Answer: "predicted for AWS: " + strings.Join(texts, ", ")}, len(texts) > 0
}

// costs answers which arms of one kind of package cost least. The section on costs has the other kinds.
func (s *sequence) costs(rep *Report) (a Answer, ok bool) {
	if rep.Cost == nil {
		return a, false
	}
	i := slices.IndexFunc(rep.Cost.Cheapest, func(c Cheapest) bool { return c.Source == s.source })
	if i < 0 {
		return a, false
	}
	c := rep.Cost.Cheapest[i]
	a = Answer{Question: "What does it cost?", Sure: c.sure, Answer: c.Text}
	if c.Among != "" {
		a.Answer = "as " + c.Among + ": " + strings.ReplaceAll(c.Text, "/"+c.Among, "")
	}
	if n := c.next; n != nil {
		a.Ratio, a.CI = &n.Ratio, &n.CI
	}
	return a, true
}

// sure answers which difference such samples show in 80 % of runs.
func (s *sequence) sure() (a Answer, ok bool) {
	worst := 0.0
	for _, c := range s.primary() {
		if c.Detects != nil {
			worst, a.Clock = max(worst, *c.Detects), c.Clock
		}
	}
	const text = "80 %% of such runs find a difference of %.2fx; to find smaller ones: twinstart plan --effect 5%%"
	return Answer{Question: "How sure?", Clock: a.Clock, Ratio: number(worst), Answer: fmt.Sprintf(text, worst)}, worst > 1
}
