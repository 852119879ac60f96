package report

import (
	"fmt"
	"iter"
	"math"
	"regexp"
	"slices"
	"time"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Traffic answers questions about one function from its real traffic: whether its cold starts matter, what part of the
// bill they are, how much of its memory it uses, what has changed, and what to do next.
func Traffic(records iter.Seq2[*record.Record, error], function string) ([]Answer, error) {
	t := traffic{function: function}
	for r, err := range records {
		switch {
		case err != nil:
			return nil, err
		case r.Marked != "" || r.DurationMs == nil:
			t.aside++
			t.failed += map[bool]int{true: 1}[r.Marked.Is(record.FunctionFailed)]
		default:
			t.calls = append(t.calls, *r)
		}
	}
	slices.SortStableFunc(t.calls, func(a, b record.Record) int { return a.StartedAt.Compare(b.StartedAt) })
	out := []Answer{}
	for _, q := range []struct {
		asks   string
		answer func() string
	}{{"How many are cold?", t.share}, {"Do they matter?", t.worth}, {"What do they cost?", t.bill},
		{"Enough memory?", t.memory}, {"How sure?", t.bears}, {"Any change?", t.trend}, {"What next?", t.next}} {
		if text := q.answer(); text != "" {
			out = append(out, Answer{Question: q.asks, Answer: text, Source: record.AWS})
		}
	}
	return out, nil
}

// traffic holds a function's calls in order of time. A caller waits for INIT and Duration.
type traffic struct {
	function      string
	calls         []record.Record
	aside, failed int // calls that are not in calls
}

// waits returns how long callers waited in the selected calls.
func (t *traffic) waits(selected func(*record.Record) bool) *stat.Sample {
	var out []float64
	for i := range t.calls {
		if r := &t.calls[i]; selected(r) {
			total, cold := r.ColdTotalMs()
			if !cold {
				total = *r.DurationMs
			}
			out = append(out, total)
		}
	}
	return stat.NewSample(out)
}

func isCold(r *record.Record) bool { return r.Start == record.Cold }

func isWarm(r *record.Record) bool { return r.Start != record.Cold }

// parts are the kinds of calls that are shown one by one.
var parts = []struct {
	name string
	of   func(*record.Record) bool
}{{"cold", isCold}, {"warm", isWarm}}

// share says how many calls are cold, and how long each kind takes.
func (t *traffic) share() string {
	cold, all := t.waits(isCold), len(t.calls)
	if all == 0 {
		return ""
	}
	text := fmt.Sprintf("%.1f %% of %s (%d)", 100*float64(cold.N())/float64(all), Plural(all, "invocation"), cold.N())
	for _, part := range parts {
		if s := t.waits(part.of); s.N() > 0 {
			text += fmt.Sprintf("; %s: %s", part.name, medianText(s))
		}
	}
	if t.aside > 0 {
		text += fmt.Sprintf("; %d left out, %d of them errors", t.aside, t.failed)
	}
	return text
}

// leastWorth is the least share of waiting time, or of the 99th percentile, that is worth acting on.
const leastWorth = 0.05

// worth says what callers would gain without cold starts.
func (t *traffic) worth() string {
	all, cold, warm := t.waits(func(*record.Record) bool { return true }), t.waits(isCold), t.waits(isWarm)
	if cold.N() == 0 || warm.N() == 0 {
		return ""
	}
	gain := float64(cold.N()) * (cold.Mean() - warm.Mean()) / all.Total()
	text := fmt.Sprintf("without cold starts callers would wait %.1f %% less in all", 100*gain)
	worth := gain >= leastWorth
	if all.N() >= stat.MinP99 {
		with, without := all.Quantile(0.99), warm.Quantile(0.99)
		text += fmt.Sprintf(", and the p99 of all would be %s, not %s", ms(without), ms(with))
		worth = worth || without < (1-leastWorth)*with
	}
	return map[bool]string{true: "yes: ", false: "no: "}[worth] + text
}

// bill returns INIT's part of the bill: the part of a cold start's Billed Duration beyond its Duration.
func (t *traffic) bill() string {
	init, all := 0.0, 0.0
	var inits []float64
	for i := range t.calls {
		r := &t.calls[i]
		if r.BilledDurationMs == nil {
			continue
		}
		all += *r.BilledDurationMs
		if total, cold := r.ColdTotalMs(); cold && total > 0 {
			init += math.Max(0, *r.BilledDurationMs-math.Ceil(*r.DurationMs))
			inits = append(inits, (total-*r.DurationMs)/total)
		}
	}
	whole := stat.NewSample(inits)
	if whole.N() == 0 || all == 0 {
		return ""
	}
	return fmt.Sprintf("INIT is %.0f %% of a cold start at the median, and %.1f %% of the milliseconds that are billed",
		100*whole.Quantile(0.5), 100*init/all)
}

// memory says how much of the present memory size was used since it was set.
func (t *traffic) memory() string {
	used, paid := 0, 0
	for _, r := range t.calls[t.changed():] {
		if paid = r.MemorySizeMB; r.MaxMemoryUsedMB != nil {
			used = max(used, *r.MaxMemoryUsedMB)
		}
	}
	if used == 0 || paid == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d MB used at most; less memory means less CPU: see twinstart tune", used, paid)
}

// bears says which percentiles need more cold starts, and how far back to look for them.
func (t *traffic) bears() string {
	n := t.waits(isCold).N()
	if n == 0 || n >= stat.MinP99 {
		return ""
	}
	p, want := 99, stat.MinP99
	if n < leastForP90 {
		p, want = 90, leastForP90
	}
	text := fmt.Sprintf("%s are too few for a p%d, which needs %d", Plural(n, "cold start"), p, want)
	if span := t.calls[len(t.calls)-1].StartedAt.Sub(t.calls[0].StartedAt); span > 0 {
		text += fmt.Sprintf(": at this rate --since %.0fd has enough", math.Ceil(span.Hours()/24*float64(want)/float64(n)))
	}
	return text
}

// version matches the version in a log stream's name: 2026/11/21/[$LATEST]aa, or orders/2026/11/21/[7]bb.
var version = regexp.MustCompile(`\[(\$LATEST|[0-9]+)\]`)

// state returns the function's properties that its log shows.
func state(r *record.Record) string {
	text := fmt.Sprintf("%d MB", r.MemorySizeMB)
	if m := version.FindStringSubmatch(r.LogStream); m != nil {
		text += ", version " + m[1]
	}
	return text
}

// changed returns the index of the first call of the function as it is now. It is 0 if nothing has changed, or if two
// versions alternate.
func (t *traffic) changed() int {
	at, changes := 0, 0
	for i := 1; i < len(t.calls); i++ {
		if state(&t.calls[i]) != state(&t.calls[i-1]) {
			at = i
			changes++
		}
	}
	if changes > len(t.calls)/10 {
		return 0
	}
	return at
}

// trend says what changed with the function, or over time if the function did not change.
func (t *traffic) trend() string {
	at := t.changed()
	if at == 0 {
		d, found := t.waits(isCold).Drift()
		if !found {
			return ""
		}
		return fmt.Sprintf("the later half of the cold starts takes %.2fx as long as the earlier one (%s)", d.Ratio,
			Probability(d.P))
	}
	last, now := &t.calls[at-1], &t.calls[at]
	text := fmt.Sprintf("%s became %s at %s", state(last), state(now), now.StartedAt.Format(time.DateTime))
	before, after := traffic{calls: t.calls[:at]}, traffic{calls: t.calls[at:]}
	for _, part := range parts {
		was, is := before.waits(part.of), after.waits(part.of)
		shift, ok := stat.Unpaired(is.InOrder(), was.InOrder(), stat.Alpha/2) // one of two tests
		if !ok {
			text += fmt.Sprintf("; %s: too few to tell", part.name)
			continue
		}
		told := "no difference found"
		if shift.Told {
			told = fmt.Sprintf("%+.3g ms [%+.3g, %+.3g]", shift.Estimate, shift.CI.Lo, shift.CI.Hi)
		}
		text += fmt.Sprintf("; %s: %s -> %s, %s", part.name, ms(was.Quantile(0.5)), ms(is.Quantile(0.5)), told)
	}
	return text
}

func (t *traffic) next() string {
	text := "twinstart tune --source aws --function " + t.function + " (memory); twinstart explain fn.zip (what to cut)"
	if n := t.waits(isCold).N(); n < leastForP90 {
		text += "; twinstart run --source aws --function " + t.function + " --force-cold (more cold starts)"
	}
	return text
}
