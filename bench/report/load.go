package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// ClockLoad is the latency of requests of a load. It is compared by repeats: a repeat's median is one value.
const ClockLoad Clock = "latency under load"

// Load holds what an arm's callers met under a load. Latency runs from when a request was due (closed: sent) until its
// response. Its intervals draw repeats, or environments where there are fewer than 10 repeats.
type Load struct {
	Of           string       `json:"of"`
	Closed       bool         `json:"closed"`
	ViaURL       bool         `json:"via_url,omitempty"`
	Repeats      int          `json:"repeats"`
	Requests     int          `json:"requests"`     // the shed and the failed among them
	Shed         int          `json:"shed"`         // not sent, too many were in flight
	Failed       int          `json:"failed"`       // throttled, without answer, or a function error
	Rate         float64      `json:"rate_per_s"`   // answered
	Environments int          `json:"environments"` // by log stream, else by INITs that callers met; 0 is not known
	Latency      Distribution `json:"latency"`
	P10          *float64     `json:"latency_p10_ms"`
	LagP99       *float64     `json:"lag_p99_ms"` // of the generator: sent - due; null if closed
	Cold         int          `json:"cold"`
	Tail         int          `json:"tail"` // requests from p95 to p100
	TailFrom     *float64     `json:"tail_from_ms"`
	TailCold     int          `json:"tail_cold"` // of Tail
	Billed       *float64     `json:"billed_p50_ms"`
	USD          *float64     `json:"usd_per_million"`   // requests as they came, cold or warm
	Refused      string       `json:"refused,omitempty"` // why nothing is concluded from these latencies
}

// loadSample is a request that was answered; times in ms.
type loadSample struct {
	place
	at, latency, lag, billed float64
	env                      string // log stream; "" is not known
	cold                     bool
}

// loaded collects the requests of a load.
type loaded struct {
	first    record.Arrival
	requests int
	answered []loadSample
	ends     map[place]float64 // when the last of a repeat was done
}

func (g *group) addLoad(r *record.Record, run int32) {
	if g.loaded == nil {
		g.loaded = &loaded{first: *r.Load, ends: map[place]float64{}}
	}
	l := g.loaded
	l.requests++
	latency, ok := r.LatencyMs()
	if !ok || r.FunctionError != "" || r.Marked.Is(record.Throttled) {
		return
	}
	at := place{run, int32(r.Round)}
	l.ends[at] = max(l.ends[at], *r.Load.DoneMs)
	l.answered = append(l.answered, loadSample{place: at, at: r.Load.IntendedMs, latency: latency, lag: *r.Load.SentMs - r.Load.IntendedMs,
		billed: orNaN(r.BilledDurationMs), env: r.LogStream, cold: r.Start == record.Cold})
}

// clusters groups latencies by what is independent: repeats, or environments if there are too few of those.
func (l *loaded) clusters() [][]float64 {
	byPlace, byEnv := map[string][]float64{}, map[string][]float64{}
	for _, s := range l.answered {
		p := fmt.Sprint(s.place)
		byPlace[p], byEnv[p+s.env] = append(byPlace[p], s.latency), append(byEnv[p+s.env], s.latency)
	}
	of := byEnv
	if len(byPlace) >= stat.MinClusters {
		of = byPlace
	}
	var out [][]float64
	for _, s := range l.answered { // in the order of measuring, so that a seed gives the same draws
		p := fmt.Sprint(s.place)
		for _, key := range []string{p, p + s.env} {
			if of[key] != nil {
				out = append(out, of[key])
				delete(of, key)
			}
		}
	}
	return out
}

// row summarizes a load.
func (l *loaded) row(g *group, seed uint64) *Load {
	out := &Load{Of: l.first.Of, Closed: l.first.Closed, ViaURL: l.first.ViaURL, Requests: l.requests, Repeats: len(l.ends), Shed: g.apart[string(record.Shed)]}
	out.Failed = out.Requests - len(l.answered) - out.Shed
	sample := func(of func(*loadSample) float64) *stat.Sample { return stat.NewSample(column(l.answered, of)) }
	latency := sample(func(s *loadSample) float64 { return s.latency })
	if latency.N() == 0 {
		out.Refused = "no request was answered"
		return out
	}
	out.Latency = clustered(l.clusters(), seed)
	out.P10, out.TailFrom = number(latency.Quantile(0.1)), number(latency.Quantile(0.95))
	if !out.Closed {
		out.LagP99 = number(sample(func(s *loadSample) float64 { return s.lag }).Quantile(0.99))
	}
	took, streams := 0.0, map[string]bool{}
	for _, end := range l.ends {
		took += end / 1000
	}
	out.Rate = round(float64(latency.N()) / max(took, 1e-3))
	slowest := slices.SortedStableFunc(slices.Values(l.answered), func(a, b loadSample) int { return cmp.Compare(b.latency, a.latency) })
	out.Tail = (latency.N() + 19) / 20
	for i, s := range slowest {
		if s.env != "" {
			streams[s.env] = true
		}
		if s.cold {
			out.Cold++
			if i < out.Tail {
				out.TailCold++
			}
		}
	}
	if out.Environments = len(streams); out.Environments == 0 && !out.ViaURL {
		out.Environments = out.Cold
	}
	if billed := sample(func(s *loadSample) float64 { return s.billed }); billed.N() > 0 {
		out.Billed = number(billed.Quantile(0.5))
	}
	out.USD = number(perMillion(slices.Concat(column(g.cold, (*coldSample).price), column(g.warm, (*warmSample).price)), func(x *float64) float64 { return *x }))
	out.Refused = out.refused()
	return out
}

// maxLagMs is the lag of the generator from which latencies are partly its own.
const maxLagMs = 1

// refused says why these latencies bear no verdict.
func (l *Load) refused() string {
	switch {
	case l.LagP99 != nil && (*l.LagP99 > maxLagMs || *l.LagP99 > *l.P10):
		return fmt.Sprintf("this machine sent late, 1 in 100 by %s or more, which weighs", ms(*l.LagP99))
	case l.Environments > 0 && l.Environments < stat.MinMedian:
		return fmt.Sprintf("%s served all %d requests, and %d are needed: --repeats brings new ones", Plural(l.Environments, "environment"), l.Requests, stat.MinMedian)
	}
	return ""
}

// refused says why arms are not compared by a clock, or "".
func (c *contest) refused() string {
	for _, m := range c.arms {
		if l := m.row.Load; c.clock == ClockLoad && l != nil && l.Refused != "" {
			return m.label + ": " + l.Refused
		}
	}
	return ""
}

// byRepeat sets what is compared of a load: the median of each repeat, by every clock of it. Cold starts and requests of
// one repeat are of one moment.
func (m *measured) byRepeat(columns map[place]int) {
	if m.group.loaded == nil {
		return
	}
	values := map[Clock][][]float64{}
	for _, clock := range append(coldClocks[:len(coldClocks):len(coldClocks)], ClockLoad) {
		values[clock] = make([][]float64, len(columns))
	}
	for i := range m.group.cold {
		c := &m.group.cold[i]
		if k, ok := columns[place{c.run, c.round}]; ok {
			for _, clock := range coldClocks {
				values[clock][k] = append(values[clock][k], c.by(clock))
			}
		}
	}
	for _, s := range m.group.loaded.answered {
		if k, ok := columns[s.place]; ok {
			values[ClockLoad][k] = append(values[ClockLoad][k], s.latency)
		}
	}
	for clock, of := range values {
		m.rounds[clock] = slices.Repeat([]float64{math.NaN()}, len(columns))
		var medians []float64
		for k, xs := range of {
			if len(xs) > 0 {
				m.rounds[clock][k] = stat.NewSample(xs).Quantile(0.5)
				medians = append(medians, m.rounds[clock][k])
			}
		}
		m.tests[clock] = stat.NewSample(medians)
	}
}

// LoadPoint is a request at its time under load.
type LoadPoint struct {
	At   float64 `json:"s"` // since the load began
	Ms   float64 `json:"ms"`
	Cold bool    `json:"cold,omitempty"`
}

// Course returns at most limit requests of an arm's load, in order of their times: all cold starts that fit, and of the
// others a random choice.
func (r *Report) Course(label string, limit int) (out []LoadPoint) {
	m := r.find(label)
	if m == nil || m.group.loaded == nil {
		return nil
	}
	all := m.group.loaded.answered
	for _, cold := range []bool{true, false} {
		kind := slices.DeleteFunc(slices.Clone(all), func(s loadSample) bool { return s.cold != cold })
		if left := limit - len(out); left > 0 {
			for _, i := range choose(len(kind), left, m.seed, 9) {
				out = append(out, LoadPoint{round(kind[i].at / 1000), round(kind[i].latency), cold})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b LoadPoint) int { return cmp.Compare(a.At, b.At) })
	return out
}

// underLoad answers what a load is run for. Of many arms it names the fastest and the slowest.
func underLoad(rep *Report, sequences []*sequence) (out []Answer) {
	arms := slices.DeleteFunc(slices.Clone(rep.Arms), func(a *Arm) bool { return a.Load == nil || a.Load.Latency.P50 == nil })
	if len(arms) == 0 {
		return nil
	}
	slices.SortStableFunc(arms, func(a, b *Arm) int { return cmp.Compare(*a.Load.Latency.P50, *b.Load.Latency.P50) })
	say := func(question, text string) {
		if text != "" {
			out = append(out, Answer{Question: question, Answer: text, Source: arms[0].Source, Clock: ClockLoad})
		}
	}
	ends := func(of func(a *Arm, l *Load) string) string {
		var texts []string
		for i, a := range arms {
			if text := of(a, a.Load); text != "" && (i == 0 || i == len(arms)-1) {
				texts = append(texts, map[bool]string{true: a.Arm + " "}[len(arms) > 1]+text)
			}
		}
		return strings.Join(texts, "; ")
	}
	for _, s := range sequences {
		for _, c := range s.claims {
			if c.Clock == ClockLoad && c.At == UsuallyFaster {
				text, _, _ := strings.Cut(c.Text, "; a difference of")
				say("Which is fastest?", strings.TrimSuffix(text, "."))
			}
		}
	}
	say("What do callers wait?", ends(func(_ *Arm, l *Load) string {
		return fmt.Sprintf("%s, 80 %% of them %s to %s, worst %s", ms(*l.Latency.P50), Digits(*l.P10), Digits(*l.Latency.P90), Digits(*l.Latency.Max))
	}))
	if arms[0].Load.ViaURL {
		say("Who is in the tail?", "not known: a URL's answers do not say which were cold (twinstart logs does)")
	} else {
		say("Who is in the tail?", "p95 to p100: "+ends(func(_ *Arm, l *Load) string {
			return fmt.Sprintf("%s and more, %d of %d cold starts", ms(*l.TailFrom), l.TailCold, l.Tail)
		}))
	}
	say("How many are cold?", ends(func(a *Arm, l *Load) string {
		if a.ColdTotal.P50 == nil || a.P50 == nil {
			return ""
		}
		return fmt.Sprintf("%d of %d, %s (INIT %s)", l.Cold, l.Requests, ms(*a.ColdTotal.P50), Digits(*a.P50))
	}))
	total, least, refused := Load{LagP99: new(0.0)}, arms[0].Load, ""
	for _, a := range arms {
		l := a.Load
		total.Requests, total.Shed, total.Failed = total.Requests+l.Requests, total.Shed+l.Shed, total.Failed+l.Failed
		if l.Environments < least.Environments {
			least = l
		}
		if l.LagP99 != nil {
			total.LagP99 = new(max(*total.LagP99, *l.LagP99))
		}
		if l.Refused != "" && len(arms) == 1 { // of several the first answer says it
			refused = "no verdict: " + l.Refused
		}
	}
	how := ", sent late by " + ms(*total.LagP99) + " at p99"
	if least.Closed {
		how = "; closed: a slow answer delays the next"
	}
	served := "environments not known"
	if least.Environments > 0 {
		served = Plural(least.Environments, "environment")
	}
	say("Was it sent?", fmt.Sprintf("%s, %d shed, %d failed%s; %s in %s", Plural(total.Requests, "request"), total.Shed, total.Failed, how, served, Plural(least.Repeats, "repeat")))
	say("How sure?", refused)
	say("What does it cost?", ends(func(a *Arm, l *Load) string {
		if l.USD == nil || a.MaxMemoryUsedMB == nil {
			return ""
		}
		return fmt.Sprintf("%.3f USD a million, %d MB used", *l.USD, *a.MaxMemoryUsedMB)
	}))
	return out
}
