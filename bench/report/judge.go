package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/twinstart/twinstart/bench/record"
)

// judge says whether a published ratio holds here. g is the comparison of the arms if no claim compares them.
func (f *Finding) judge(s *sequence, p publishedRatio, a, b *measured, g *Gain) {
	end := func(o Outcome, format string, args ...any) {
		f.Outcome, f.Text = o, fmt.Sprintf("%s: %s, %s", p.Finding, o, fmt.Sprintf(format, args...))
	}
	at := cmp.Or(p.At, UsuallyFaster)
	switch {
	case a == nil:
		end(NotSeen, "because %s was not measured", p.Arm)
		return
	case b == nil:
		end(NotSeen, "because %s was not measured", p.Than)
		return
	case s.source == record.Lab && a.group.kind != b.group.kind:
		if at == UsuallyFaster {
			f.Predicted = predictedPair(a, b)
		}
		end(NotSeen, "because the lab mounts an image as it mounts a ZIP%s", f.Predicted)
		return
	}
	if p.Clock == "" {
		f.Here = s.compared(at, a, b)
	} else if g != nil {
		f.Here = &Comparison{Clock: p.Clock, At: at, Arm: a.label, Than: b.label, Ratio: g.Ratio, CI: g.CI, P: g.P,
			Told: g.Told, Test: "contrast", N: min(a.replicates(p.Clock), b.replicates(p.Clock))}
	}
	here, ratio := f.Here, p.ratio()
	if here == nil {
		end(Undecided, "because %q by %s was not tested for these arms", at, cmp.Or(p.Clock, ClockInit))
		return
	}
	says := fmt.Sprintf("%s here by %s, published ", times(*here), here.Clock)
	switch {
	case ratio == 0 || ratio == 1:
		says += "without a figure"
	case p.CI[0] < p.CI[1]:
		says += fmt.Sprintf("%.2fx [%.2f, %.2f]", ratio, p.CI[0], p.CI[1])
	default:
		says += fmt.Sprintf("%.2fx", ratio)
	}
	switch {
	case !here.Told && ratio == 1:
		end(Undecided, "a gain of less than %.0f %%, %s", max(1, math.Ceil(100-100*here.CI[0])), says)
	case !here.Told:
		end(Undecided, "%s", says)
	case (here.Ratio < 1) != (ratio < 1):
		end(Reversed, "%s", says)
	case ratio == 1 || here.CI[0] <= p.CI[1] && p.CI[0] <= here.CI[1]:
		end(Reproduced, "%s", says)
	case s.source == record.Lab:
		end(OrderOnly, "%s; the lab's disk is memory, so ratios differ", says)
	default:
		end(OrderOnly, "%s, on another day and perhaps with other builds or another architecture", says)
	}
	if s.source == record.AWS && f.Outcome != Undecided || f.Outcome == Reproduced {
		f.Settles = ""
	}
}

// compared returns the comparison of a with b by INIT, or nil if the claim was not tested.
func (s *sequence) compared(at At, a, b *measured) *Comparison {
	for _, clocks := range s.contests {
		c := clocks[ClockInit]
		switch i, j := slices.Index(c.arms, a), slices.Index(c.arms, b); {
		case i < 0 || j < 0:
		case at == UsuallyFaster && c.pairs != nil && c.pairs[i][j].why == "":
			return new(c.comparison(i, j))
		case at == LowerTail && c.tail != nil:
			i, j := slices.Index(c.tail.arms, a), slices.Index(c.tail.arms, b)
			if i < 0 || j < 0 {
				return nil
			}
			if p := c.resampledPair(c.tail, i, j); p.why == "" {
				return new(c.describe(a, b, c.tail.at, p))
			}
		}
	}
	return nil
}
