package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Load holds what an arm's callers met under a load. Latency runs from when a request was due (in a closed load: sent)
// until its response. Its intervals draw repeats, or environments if there are fewer than 10 repeats.
type Load struct {
	Of           string       `json:"of"`
	Closed       bool         `json:"closed"`
	ViaURL       bool         `json:"via_url,omitempty"`
	Repeats      int          `json:"repeats"`
	Requests     int          `json:"requests"`     // shed and failed ones too
	Shed         int          `json:"shed"`         // not sent, because too many were in flight
	Failed       int          `json:"failed"`       // throttled, without answer, or a function error
	Rate         float64      `json:"rate_per_s"`   // answered
	Environments int          `json:"environments"` // by log stream, else by INITs that callers met; 0 if unknown
	Latency      Distribution `json:"latency"`
	P10          *float64     `json:"latency_p10_ms"`
	LagP99       *float64     `json:"lag_p99_ms"` // of the generator: sent - due; null in a closed load
	Cold         int          `json:"cold"`
	Tail         int          `json:"tail"`      // requests from p95 to p100
	TailCold     int          `json:"tail_cold"` // of Tail
	Billed       *float64     `json:"billed_p50_ms"`
	USD          *float64     `json:"usd_per_million"` // requests as they came, cold or warm
	Ahead        *Ahead       `json:"provisioned,omitempty"`
	Refused      string       `json:"refused,omitempty"` // why these latencies are not compared
}

// loadSample is a request that was answered; times in ms.
type loadSample struct {
	place
	at, latency, lag, billed float64
	env                      string // log stream; "" if unknown
	cold, spilled            bool
}

// loaded collects the requests of a load.
type loaded struct {
	first    record.Arrival
	requests int
	answered []loadSample
	ends     map[place]float64 // by repeat, when the last request was done, in ms
	ahead    []float64         // INITs of provisioned environments

	provisioned bool
}

// addLoad adds a request of a load. Requests without an answer are only counted.
func (g *group) addLoad(r *record.Record, run int32) {
	if g.loaded == nil {
		g.loaded = &loaded{first: *r.Load, ends: map[place]float64{}}
	}
	l := g.loaded
	l.requests++
	l.provisioned = l.provisioned || r.InitializationType != ""
	if r.Ahead() && r.InitDurationMs != nil {
		l.ahead = append(l.ahead, *r.InitDurationMs)
	}
	latency, ok := r.LatencyMs()
	if !ok || r.FunctionError != "" || r.Marked.Is(record.Throttled) {
		return
	}
	at := place{run, int32(r.Round)}
	l.ends[at] = max(l.ends[at], *r.Load.DoneMs)
	l.answered = append(l.answered, loadSample{place: at, at: r.Load.IntendedMs, latency: latency,
		lag: *r.Load.SentMs - r.Load.IntendedMs, billed: orNaN(r.BilledDurationMs), env: r.LogStream,
		cold: r.Start == record.Cold && !r.Ahead(), spilled: r.InitializationType == record.OnDemand})
}

// clusters groups latencies by repeat, or by environment if there are too few repeats. Clusters are independent.
func (l *loaded) clusters() (out [][]float64) {
	at := map[string]int{}
	for _, s := range l.answered {
		key := fmt.Sprint(s.place)
		if len(l.ends) < stat.MinClusters {
			key += s.env
		}
		if _, met := at[key]; !met {
			at[key] = len(out)
			out = append(out, nil)
		}
		out[at[key]] = append(out[at[key]], s.latency)
	}
	return out
}

func (l *loaded) row(g *group, seed uint64) *Load {
	out := &Load{Of: l.first.Of, Closed: l.first.Closed, ViaURL: l.first.ViaURL, Requests: l.requests,
		Repeats: len(l.ends), Shed: g.apart[string(record.Shed)]}
	out.Failed = out.Requests - len(l.answered) - out.Shed
	if len(l.answered) == 0 {
		out.Refused = "no request was answered"
		return out
	}
	quantile := func(q float64, of func(*loadSample) float64) *float64 {
		return number(stat.NewSample(column(l.answered, of)).Quantile(q))
	}
	out.Latency = clustered(l.clusters(), seed)
	out.P10 = quantile(0.1, func(s *loadSample) float64 { return s.latency })
	out.Billed = quantile(0.5, func(s *loadSample) float64 { return s.billed })
	if !out.Closed {
		out.LagP99 = quantile(0.99, func(s *loadSample) float64 { return s.lag })
	}
	ahead := &Ahead{Environments: len(l.ahead), Init: median(l.ahead)}
	took, streams := 1e-3, map[string]bool{}
	for _, end := range l.ends {
		took += end / 1000
	}
	out.Rate, out.Tail = Round(float64(len(l.answered))/took), (len(l.answered)+19)/20
	slower := func(a, b loadSample) int { return cmp.Compare(b.latency, a.latency) }
	for i, s := range slices.SortedStableFunc(slices.Values(l.answered), slower) {
		streams[s.env] = true
		ahead.Spilled += map[bool]int{true: 1}[s.spilled]
		if s.cold {
			out.Cold++
			out.TailCold += map[bool]int{true: 1}[i < out.Tail]
		}
	}
	delete(streams, "")
	if ahead.AtLeast = len(streams) == 0; l.provisioned {
		out.Ahead = ahead
	}
	if out.Environments = len(streams); out.Environments == 0 && !out.ViaURL {
		out.Environments = out.Cold + len(l.ahead)
	}
	bills := append(column(g.cold, (*coldSample).price), column(g.warm, (*warmSample).price)...)
	out.USD = number(1e6 * stat.NewSample(bills).Mean())
	switch {
	case out.LagP99 != nil && *out.LagP99 > min(maxLagMs, *out.P10):
		out.Refused = fmt.Sprintf("this machine sent 1 in 100 requests late by %s or more: lower the rate", ms(*out.LagP99))
	case out.Environments > 0 && out.Environments < stat.MinMedian:
		busy := out.Rate * *out.Latency.P50 / 1000
		out.Refused = fmt.Sprintf("%d requests met only %s, but %d are needed (%.3g requests a second keep %.2g busy): "+
			"use --repeats, since each repeat has new environments; a longer load does not help",
			out.Requests, Plural(out.Environments, "environment"), stat.MinMedian, out.Rate, busy)
	}
	return out
}

// maxLagMs is the lag from which the generator is a part of the latencies.
const maxLagMs = 1

// refused says why arms are not compared by a clock, or "".
func (c *contest) refused() string {
	if c.clock != ClockLoad {
		return ""
	}
	for _, m := range c.arms {
		if l := m.row.Load; l != nil && l.Refused != "" {
			return m.label + ": " + l.Refused
		}
	}
	return ""
}

// LoadPoint is a request at its time under load.
type LoadPoint struct {
	At   float64 `json:"s"` // since the load began
	Ms   float64 `json:"ms"`
	Cold bool    `json:"cold,omitempty"`
}

// Course returns the cold starts of the arm's load, and at most limit other requests, chosen at random.
func (a *Arm) Course(limit int) (out []LoadPoint) {
	m := a.of
	if m == nil || m.group.loaded == nil {
		return nil
	}
	all := m.group.loaded.answered
	chosen := choose(len(all), limit, m.seed, 9)
	for i, s := range all {
		if _, drawn := slices.BinarySearch(chosen, i); drawn || s.cold {
			out = append(out, LoadPoint{Round(s.at / 1000), Round(s.latency), s.cold})
		}
	}
	return out
}

// underLoad answers what a load is run for. If there are several arms it names the fastest and the slowest.
func underLoad(rep *Report, sequences []*sequence) (out []Answer) {
	unanswered := func(a *Arm) bool { return a.Load == nil || a.Load.Latency.P50 == nil }
	arms := slices.DeleteFunc(slices.Clone(rep.Arms), unanswered)
	slices.SortStableFunc(arms, func(a, b *Arm) int { return cmp.Compare(*a.Load.Latency.P50, *b.Load.Latency.P50) })
	if len(arms) == 0 {
		return nil
	}
	for _, s := range sequences {
		if a, ok := s.fastest(); ok {
			a.Source = s.source
			out = append(out, a)
		}
	}
	for _, q := range []struct {
		asks string
		of   func(*Load) string
	}{
		{"What do callers wait?", func(l *Load) string {
			tail := ""
			if !l.ViaURL { // a URL does not say what was cold
				tail = fmt.Sprintf("; %d of the slowest %d were cold", l.TailCold, l.Tail)
			}
			return fmt.Sprintf("median %s, 80 %% of requests %s to %s, worst %s%s", ms(*l.Latency.P50), Digits(*l.P10),
				Digits(*l.Latency.P90), Digits(*l.Latency.Max), tail)
		}},
		{"Was all of it sent?", func(l *Load) string {
			how := "closed loop"
			if !l.Closed {
				how = "late by " + ms(*l.LagP99) + " at p99"
			}
			return fmt.Sprintf("%d shed, %d failed, %s, %s", l.Shed, l.Failed, how, Plural(l.Environments, "environment"))
		}},
		{"How sure?", func(l *Load) string {
			if l.Refused == "" || len(arms) > 1 { // then the first answer says it
				return ""
			}
			return "no verdict: " + l.Refused
		}},
	} {
		var texts []string
		for i, a := range arms {
			if text := q.of(a.Load); text != "" && (i == 0 || i == len(arms)-1) {
				texts = append(texts, map[bool]string{true: a.Arm + " "}[len(arms) > 1]+text)
			}
		}
		if len(texts) > 0 {
			out = append(out, Answer{Question: q.asks, Answer: strings.Join(texts, "; "), Source: arms[0].Source,
				Clock: ClockLoad})
		}
	}
	return out
}
