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

// Answer answers one of the questions that people open a report for: what the data say, by how much, how surely, and
// by which clock. Every form of the report begins with the answers.
type Answer struct {
	Question  string        `json:"question"`
	Answer    string        `json:"answer"`
	Source    record.Source `json:"source"`
	Clock     Clock         `json:"clock,omitempty"`
	Ratio     *float64      `json:"ratio"` // by how much, if one ratio says it; else null
	CI        *[2]float64   `json:"ratio_ci95"`
	Sure      string        `json:"sure"`                // "told apart", "a tie", "predicted, not measured", or what more it takes
	Predicted bool          `json:"predicted,omitempty"` // for AWS, from the lab's counts
}

// The values of Sure.
const (
	toldApart      = "told apart"
	aTie           = "a tie"
	onlyPredicted  = "predicted, not measured"
	notTestedWords = "not tested"
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
	if n := len(failed); n > 0 {
		out = append(out, Answer{Question: "What failed?", Source: rep.Sources[0], Answer: failed[0] + map[bool]string{true: fmt.Sprintf(", and %d more", n-1)}[n > 1]})
	}
	if load := underLoad(rep, sequences); len(load) > 0 {
		out = append(out, load...)
		for i := range rep.Levers {
			out = append(out, rep.Levers[i].ahead(rep)...)
		}
		return out
	}
	if measured := slices.DeleteFunc(slices.Clone(rep.Arms), func(a *Arm) bool { return a.Published != "" || a.failed() }); len(measured) == 1 {
		return append(out, alone(measured[0])...)
	}
	for i := range rep.Levers {
		out = append(out, rep.Levers[i].answer())
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
		for _, q := range []struct{ id, asks string }{{"compressed", "Does compressing pay?"}, {"padded", "Does unread size cost?"}} {
			add(s.asked(rep, q.id, q.asks))
		}
		add(s.zipOrImage(rep))
		add(s.costs(rep))
		add(s.steps(rep))
		add(s.sure())
	}
	return out
}

// failed reports whether every sample of the arm is a failure.
func (a *Arm) failed() bool { return a.InitCount+a.Warm.Count == 0 && a.LastError != "" }

// primary returns the primary claims of all sides; those that tell arms apart come first.
func (s *sequence) primary() (told []*Claim) {
	var others []*Claim
	for _, c := range s.claims {
		switch {
		case c.Primary && c.Told():
			told = append(told, c)
		case c.Primary:
			others = append(others, c)
		}
	}
	return append(told, others...)
}

// fastest answers from the primary claim: how far the arms of one kind of package lie apart, and who leads among each
// other kind.
func (s *sequence) fastest() (a Answer, ok bool) {
	claims := s.primary()
	if len(claims) == 0 {
		return a, false
	}
	first, head, tail := claims[0], "", ""
	a = Answer{Question: "Which is fastest?", Clock: first.Clock, Sure: notTestedWords}
	switch {
	case first.Told():
		a.Sure = toldApart
	case slices.ContainsFunc(claims, func(c *Claim) bool { return c.Tested }):
		a.Sure = aTie
	}
	leaders, same := builds(s.rep, first), []string(nil)
	for _, c := range claims {
		if c.Told() {
			leaders = slices.DeleteFunc(leaders, func(b string) bool { return !slices.Contains(builds(s.rep, c), b) })
		}
	}
	for _, c := range claims[1:] {
		switch {
		case !c.Told():
			tail += "; as " + c.Among + " no winner"
		case len(leaders) > 0:
			same = append(same, c.Among)
		default:
			tail += "; as " + c.Among + " " + some(builds(s.rep, c), "")
		}
	}
	if len(same) > 0 {
		tail += fmt.Sprintf("; %s %s as %s, too", some(leaders, ""), map[bool]string{true: "leads", false: "lead"}[len(leaders) == 1], and(same))
	}
	if first.Among != "" {
		head = "as " + first.Among + " "
	}
	a.Answer = head + lead(s.rep, first, twoLines-len(head+tail+a.Sure)) + tail
	return a, true
}

// twoLines is the length of an answer that fills two lines beside its question on a terminal of 120 columns.
const twoLines = 174

// some names at most two of a list and counts the rest. The detail goes with the first name.
func some(names []string, detail string) string {
	switch n := len(names); {
	case n == 1:
		return names[0] + detail
	case n == 2 && detail == "":
		return names[0] + " and " + names[1]
	default:
		return fmt.Sprintf("%s%s and %d more", names[0], detail, n-1)
	}
}

// decides answers with the factor that has the largest share of the variance, and its level with the least INIT.
func (s *sequence) decides(rep *Report) (a Answer, ok bool) {
	for i := range rep.Factors {
		f := &rep.Factors[i]
		if !s.told || f.Source != s.source() || len(f.Terms) == 0 {
			continue
		}
		top := slices.MaxFunc(f.Terms, func(x, y Term) int { // a main effect before any interaction
			return cmp.Or(-cmp.Compare(strings.Count(x.Term, " x "), strings.Count(y.Term, " x ")), cmp.Compare(x.Share, y.Share))
		})
		told := slices.DeleteFunc(slices.Clone(f.Effects), func(e Effect) bool { return e.Factor != top.Term || e.Within != "" || !e.Told })
		if len(told) == 0 {
			continue
		}
		byRatio := func(x, y Effect) int { return cmp.Compare(x.Ratio, y.Ratio) }
		e, says := slices.MinFunc(told, byRatio), "%[1]s takes %[3]s as long as %[2]s"
		if e.Ratio > 1 && len(told) > 1 {
			e, says = slices.MaxFunc(told, byRatio), "best with %[2]s, others take up to %[3]s as long"
		}
		unit := map[string]string{"memory": " MB"}[top.Term]
		return Answer{Question: "What decides?", Clock: ClockInit, Ratio: new(e.Ratio), CI: &e.CI, Sure: toldApart, Answer: fmt.Sprintf("the %s, %.0f %% of variance: ", top.Term, 100*top.Share) +
			fmt.Sprintf(says, e.Level+unit, e.Than+unit, ratio(Comparison{Ratio: e.Ratio, CI: e.CI}))}, true
	}
	return a, false
}

// asked answers a question of folklore with the pair that differs most.
func (s *sequence) asked(rep *Report, id, asks string) (a Answer, ok bool) {
	for _, c := range rep.Verdict.Claims {
		if c.Question != id || !s.has(c.Source, c.Published) || len(c.Pairs) == 0 {
			continue
		}
		most := slices.MaxFunc(c.Pairs, func(x, y Comparison) int {
			far := func(c Comparison) float64 { return math.Abs(math.Log(c.Ratio)) + map[bool]float64{true: 1e6}[c.Told] }
			return cmp.Compare(far(x), far(y))
		})
		a = Answer{Question: asks, Clock: c.Clock, Ratio: new(most.Ratio), CI: new(most.CI), Sure: aTie, Answer: fmt.Sprintf("no effect told: %s against %s %s", most.Arm, most.Than, ratio(most))}
		if most.Told {
			a.Sure, a.Answer = toldApart, fmt.Sprintf("%s: %s against %s", plain(most), most.Arm, most.Than)
		}
		return a, true
	}
	return a, false
}

// zipOrImage answers from measurements on AWS, and from predictions for the lab.
func (s *sequence) zipOrImage(rep *Report) (a Answer, ok bool) {
	a = Answer{Question: "ZIP or image?", Clock: ClockInit, Sure: aTie}
	var texts, short []string
	if s.source() == record.Lab {
		a.Predicted, a.Sure = true, onlyPredicted
		var of split
		for _, r := range rep.Arms {
			if r.PredictedAWS != nil && r.Package == arm.ZIP && r.PredictedAWS.Image != nil {
				detail := ""
				if r.PredictedAWS.Estimate().Known() {
					detail = fmt.Sprintf(" (%.0f against %.0f ms)", r.PredictedAWS.ZIP, *r.PredictedAWS.Image)
				}
				of.add(slices.Index([]arm.Package{arm.ZIP, arm.Image, ""}, r.PredictedAWS.Faster), r.Bootstrap, detail)
			}
		}
		if text := of.text(false, "ZIP for", "image for", "too close for"); text != "" {
			texts = append(texts, "predicted for AWS: "+text)
		}
	} else {
		for _, c := range rep.Verdict.Claims {
			if c.Clock != ClockInit || c.Question != "image" && c.Question != "image-minimal" || !s.has(c.Source, c.Published) {
				continue
			}
			var of split
			for _, p := range c.Pairs {
				to := 2
				switch {
				case p.Told && p.Ratio < 1:
					to, a.Sure = 0, toldApart
				case p.Told:
					to, a.Sure = 1, toldApart
				}
				of.add(to, strings.TrimSuffix(p.Arm, "/"+c.Question), " ("+ratio(p)+")")
			}
			const tie = "no difference told for"
			texts = append(texts, of.text(false, c.Question+" for", "ZIP rather than "+c.Question+" for", tie))
			short = append(short, c.Question+": "+of.text(true, "faster for", "slower for", tie))
		}
	}
	if a.Answer = strings.Join(texts, "; "); len(short) > 1 { // two kinds of image in a line
		a.Answer = strings.Join(short, "; ")
	}
	return a, len(texts) > 0
}

// split sorts names into three lists: for one thing, for the other, for neither. The first name of a list has a
// detail.
type split [3]struct {
	names  []string
	detail string
}

func (s *split) add(to int, name, detail string) {
	if l := &s[to]; !slices.Contains(l.names, name) {
		if len(l.names) == 0 {
			l.detail = detail
		}
		l.names = append(l.names, name)
	}
}

// text returns, for example, "ZIP for a (14 against 31 ms) and 2 more, image for b (50 against 40 ms), too close for
// 7". A brief one names nobody of a list of several: "faster for 3, slower for b, no difference told for 5".
func (s *split) text(brief bool, says ...string) string {
	var parts []string
	for i, l := range s {
		switch n := len(l.names); {
		case n == 0:
		case n > 1 && (brief || i == 2 && len(parts) > 0):
			parts = append(parts, fmt.Sprintf("%s %d", says[i], n))
		case brief || len(parts) > 0:
			parts = append(parts, says[i]+" "+some(l.names, ""))
		default:
			parts = append(parts, says[i]+" "+some(l.names, l.detail))
		}
	}
	return strings.Join(parts, ", ")
}

// costs answers which arms of one kind of package cost least. The section on costs has the other kinds.
func (s *sequence) costs(rep *Report) (a Answer, ok bool) {
	if rep.Cost == nil {
		return a, false
	}
	for i := range rep.Cost.Cheapest {
		c := &rep.Cost.Cheapest[i]
		if c.Source != s.source() {
			continue
		}
		a = Answer{Question: "What does it cost?", Sure: aTie, Answer: c.Text}
		if n := c.next; n != nil {
			a.Sure, a.Ratio, a.CI = toldApart, new(n.Ratio), &n.CI
			a.Answer = fmt.Sprintf("%s, %.3f USD a million; %s %s", some(c.Arms, ""), c.usd, n.Arm, percentChange(n.Ratio, n.CI))
			if c.Among != "" {
				a.Answer = "as " + c.Among + " " + strings.ReplaceAll(a.Answer, "/"+c.Among, "")
			}
		}
		return a, true
	}
	return a, false
}

// sure answers which differences these samples can show.
func (s *sequence) sure() (a Answer, ok bool) {
	worst := 0.0
	for _, c := range s.primary() {
		if c.Detects != nil {
			worst, a.Clock = max(worst, *c.Detects), c.Clock
		}
	}
	return Answer{Question: "How sure?", Clock: a.Clock, Ratio: number(worst),
		Answer: fmt.Sprintf("differences from %.2fx on show in 80 %% of such runs; smaller ones: twinstart plan --effect 5%%", worst)}, worst > 1
}
