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

// Finding is a published finding about AWS, checked against this report.
type Finding struct {
	Finding   string        `json:"finding"`
	By        string        `json:"by"`
	Published float64       `json:"published_ratio,omitempty"` // of Arm to Than; absent if it was said without a figure
	Arm       string        `json:"arm"`
	Than      string        `json:"than"`
	Source    record.Source `json:"source"`
	Outcome   Outcome       `json:"outcome"`
	Here      *Comparison   `json:"here"`                // null if they were not compared
	Predicted string        `json:"predicted,omitempty"` // for AWS, from the lab's counts; not measured
	Text      string        `json:"text"`
	Settles   string        `json:"settles,omitempty"` // the measurement on AWS that would settle it
}

// Outcome is the result of checking a published finding.
type Outcome string

// The outcomes.
const (
	Reproduced    Outcome = "as published"
	OrderOnly     Outcome = "order as published, size not"
	Reversed      Outcome = "reversed here"
	NotReproduced Outcome = "not as published" // a threshold
	Undecided     Outcome = "not told apart here"
	NotSeen       Outcome = "cannot be seen here"
)

// publishedRatio is a ratio of times that others published.
type publishedRatio struct {
	finding, by string
	arm, than   string
	ratio       float64    // 0: less, by how much was not said; 1: no gain
	ci          [2]float64 // from the published spread, or over days; as narrow as the ratio itself if none was published
	at          At
	clock       Clock // "" is INIT
}

const (
	packaging2025 = "packaging experiment of 2025: arm64, 60 cold starts an arm, mean Init Duration"
	lambdaPerf    = "lambda-perf, 2026-08-22: arm64, 40 cold starts an arm, median Init Duration"
)

// The published figures in ms: packaging 42.61 (net/http, ZIP), 33.51 (image), 27.68 (minimal image), 21.31 (raw TCP),
// 56.01 (with UPX), p95 67.45 and 49.15; lambda-perf 43.4 (Go) and 13.7 (Rust) by day, and of one day Rust 13.9, Go
// 44.1, Python 80.5, Node.js 127.2, Java 200.
var publishedFindings = append([]publishedRatio{
	{"net/http starts 21 % faster as an image than as a ZIP", packaging2025, "nethttp/image", "nethttp/zip", 33.51 / 42.61, [2]float64{0.72, 0.86}, UsuallyFaster, ""},
	{"net/http starts 35 % faster as a minimal image than as a ZIP", packaging2025, "nethttp/image-minimal", "nethttp/zip", 27.68 / 42.61, [2]float64{0.61, 0.69}, UsuallyFaster, ""},
	{"net/http has the longer tail as an image: p95 1.37 times that of the ZIP", packaging2025, "nethttp/image", "nethttp/zip", 67.45 / 49.15, [2]float64{1.37, 1.37}, LowerTail, ""},
	{"raw TCP starts twice as fast as net/http", packaging2025, "rawtcp/zip", "nethttp/zip", 21.31 / 42.61, [2]float64{0.488, 0.513}, UsuallyFaster, ""},
	{"compressed with UPX, raw TCP starts 2.6 times slower", packaging2025, "rawtcp-upx/zip", "rawtcp/zip", 56.01 / 21.31, [2]float64{2.55, 2.71}, UsuallyFaster, ""},
	{"Rust starts three times as fast as Go", lambdaPerf, "rust/zip", "go/zip", 13.7 / 43.4, [2]float64{0.29, 0.39}, UsuallyFaster, ""},
	{"Rust starts three times as fast as Go", lambdaPerf, "rust-wave/zip", "go-wave/zip", 13.9 / 44.1, [2]float64{0.29, 0.39}, UsuallyFaster, ""},
	{"Go starts 1.8 times as fast as Python 3.13", lambdaPerf, "go-wave/zip", "python-wave/zip", 44.1 / 80.5, [2]float64{0.55, 0.55}, UsuallyFaster, ""},
	{"Python 3.13 starts 1.6 times as fast as Node.js 24", lambdaPerf, "python-wave/zip", "node-wave/zip", 80.5 / 127.2, [2]float64{0.63, 0.63}, UsuallyFaster, ""},
	{"Node.js 24 starts 1.6 times as fast as Java 25", lambdaPerf, "node-wave/zip", "java-wave/zip", 127.2 / 200, [2]float64{0.64, 0.64}, UsuallyFaster, ""},
	{"Rust's cold total of a function without a library is a third of Go's, 15.2 to 45.7 ms", lambdaPerf, "rust-wave/zip", "go-wave/zip", 15.2 / 45.7,
		[2]float64{0.33, 0.33}, UsuallyFaster, ClockTotal},
	{"compressed with UPX, a program (raw TCP) starts 2.6 times slower", packaging2025, "go-upx-wave/zip", "go-wave/zip", 56.01 / 21.31,
		[2]float64{2.55, 2.71}, UsuallyFaster, ""},
	{"UPX gains nothing once a function is warm", "said without a figure", "go-upx-wave/zip", "go-wave/zip", 1, [2]float64{1, 1}, UsuallyFaster, ClockWarm},
}, atOnce()...)

// atOnce are the claims on nine queries at once, of each language.
func atOnce() (out []publishedRatio) {
	for _, language := range strings.Fields("rust go python node java") {
		out = append(out, publishedRatio{"nine queries at once take less time than one by one in " + language, "study of 2023: 500 requests, Duration", language + "-search-concurrent/zip",
			language + "-search/zip", 0, [2]float64{0, 1}, UsuallyFaster, ClockWarm})
	}
	return out
}

// thresholdKiB is the published package size above which images beat ZIP.
const thresholdKiB = 5 << 10

// findings checks the published findings against each source's own arms. It skips a finding if the report has neither
// of its arms.
func findings(rep *Report, all []*measured, sequences []*sequence) (out []Finding) {
	var alone []Gains // what is compared for these alone, one family
	var judges []func()
	for _, s := range sequences {
		part := s.contests[0][ClockInit].side
		if part.published != "" {
			continue
		}
		for _, p := range publishedFindings {
			a, b := s.find(all, p.arm), s.find(all, p.than)
			if a == nil && b == nil {
				continue
			}
			var g Gains
			if p.clock != "" && a != nil && b != nil {
				g = gains(a, b, []Clock{p.clock})
				alone = append(alone, g)
			}
			at := len(out)
			out = append(out, Finding{Finding: p.finding, By: p.by, Published: round(p.ratio), Arm: p.arm, Than: p.than,
				Source: part.source, Settles: fmt.Sprintf("twinstart run --source aws --arms '%s,%s'", p.arm, p.than)})
			judges = append(judges, func() { out[at].judge(s, p, a, b, g.By(p.clock)) })
		}
		if f, ok := s.threshold(rep, all); ok {
			out = append(out, f)
		}
	}
	tell(alone, rep.Alpha)
	for _, judge := range judges {
		judge()
	}
	return out
}

// find returns the arm with an id and the sequence's source. Of several it returns the one with the published memory
// size.
func (s *sequence) find(all []*measured, id string) (found *measured) {
	for _, m := range all {
		if m.group.arm == id && s.holds(m) && m.samples[ClockInit].N() > 0 && (found == nil || m.group.memory == 1024) {
			found = m
		}
	}
	return found
}

// holds reports whether an arm is in any side of the sequence.
func (s *sequence) holds(m *measured) bool {
	return slices.ContainsFunc(s.contests, func(c map[Clock]*contest) bool { return c[ClockInit].has(m) })
}

// judge says how a published ratio stands here. g compares the arms where no claim does.
func (f *Finding) judge(s *sequence, p publishedRatio, a, b *measured, g *Gain) {
	end := func(o Outcome, format string, args ...any) {
		f.Outcome, f.Text = o, fmt.Sprintf("%s: %s, %s", p.finding, o, fmt.Sprintf(format, args...))
	}
	switch {
	case a == nil:
		end(NotSeen, "%s was not measured", p.arm)
		return
	case b == nil:
		end(NotSeen, "%s was not measured", p.than)
		return
	case s.source() == record.Lab && a.group.kind != b.group.kind:
		if p.at == UsuallyFaster {
			f.Predicted = predictedPair(a, b)
		}
		end(NotSeen, "the lab mounts an image as it mounts a ZIP%s", f.Predicted)
		return
	}
	if p.clock == "" {
		f.Here = s.compared(p.at, a, b)
	} else if g != nil {
		f.Here = &Comparison{Clock: p.clock, At: p.at, Arm: a.label, Than: b.label, Ratio: g.Ratio, CI: g.CI, P: g.P, Told: g.Told, Test: "contrast",
			N: min(a.replicates(p.clock), b.replicates(p.clock))}
	}
	here := f.Here
	if here == nil {
		end(Undecided, "%s by %s was not tested for them", p.at, cmp.Or(p.clock, ClockInit))
		return
	}
	says := fmt.Sprintf("%s here by %s, published ", ratio(*here), here.Clock)
	switch {
	case p.ratio == 0 || p.ratio == 1:
		says += "without a figure"
	case p.ci[0] < p.ci[1]:
		says += fmt.Sprintf("%.2fx [%.2f, %.2f]", p.ratio, p.ci[0], p.ci[1])
	default:
		says += fmt.Sprintf("%.2fx", p.ratio)
	}
	gain := here.Ratio < 1
	switch {
	case !here.Told && p.ratio == 1:
		end(Undecided, "a gain of less than %.0f %%, %s", max(1, math.Ceil(100-100*here.CI[0])), says)
	case !here.Told:
		end(Undecided, "%s", says)
	case gain != (p.ratio < 1):
		end(Reversed, "%s", says)
	case p.ratio == 1 || here.CI[0] <= p.ci[1] && p.ci[0] <= here.CI[1]:
		end(Reproduced, "%s", says)
	case s.source() == record.Lab:
		end(OrderOnly, "%s; the lab's disk is memory", says)
	default:
		end(OrderOnly, "%s, of another day and perhaps other builds or another architecture", says)
	}
	if s.source() == record.AWS && f.Outcome != Undecided || f.Outcome == Reproduced {
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

// threshold checks the published package size above which images beat ZIP.
func (s *sequence) threshold(rep *Report, all []*measured) (f Finding, ok bool) {
	has := func(kind arm.Package) bool {
		return slices.ContainsFunc(all, func(m *measured) bool { return m.group.kind == kind && s.holds(m) })
	}
	if !has(arm.ZIP) || !has(arm.Image) {
		return f, false
	}
	f = Finding{Finding: "images beat ZIP for packages above about 5 MB", By: packaging2025, Source: s.source(), Outcome: NotSeen,
		Settles: "twinstart run --source aws: the crossover of four package sizes at least"}
	why := "the arms are no sweep over package sizes"
	if s.source() == record.Lab {
		why = "the lab mounts an image as it mounts a ZIP"
	}
	for _, factors := range rep.Factors {
		for _, c := range factors.Crossovers {
			if c.Package != arm.Image || factors.Source != s.source() {
				continue
			}
			switch why = c.Text; {
			case c.CI == nil:
				f.Outcome = Undecided
			case c.CI[0] <= thresholdKiB && thresholdKiB <= c.CI[1]:
				f.Outcome, f.Settles = Reproduced, ""
			default:
				f.Outcome, f.Settles = NotReproduced, ""
			}
		}
	}
	f.Text = fmt.Sprintf("%s: %s, %s", f.Finding, f.Outcome, why)
	return f, true
}

// predictedPair says what is predicted on AWS for two arms of the lab.
func predictedPair(a, b *measured) string {
	x, y := a.row.PredictedAWS, b.row.PredictedAWS
	if x == nil || y == nil {
		return ""
	}
	return fmt.Sprintf(". Predicted on AWS, not measured: %s %.1f ms [%.1f, %.1f], %s %.1f ms [%.1f, %.1f]",
		a.label, x.Init, x.Interval[0], x.Interval[1], b.label, y.Init, y.Interval[0], y.Interval[1])
}
