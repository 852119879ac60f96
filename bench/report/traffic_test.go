package report_test

import (
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
)

// call is a call of a function. It is warm if init is 0.
type call struct {
	init, duration float64
	memory, used   int
	version        string
	mark           record.Mark
}

// calls are an hour apart.
func calls(all []call) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		for i, c := range all {
			r := &record.Record{Source: record.AWS, Start: record.Warm, DurationMs: &c.duration, MemorySizeMB: c.memory, MaxMemoryUsedMB: &c.used, Marked: c.mark,
				StartedAt: time.Date(2026, 11, 20, i, 0, 0, 0, time.UTC), LogStream: "2026/11/20/[" + c.version + "]aa", BilledDurationMs: new(c.duration + c.init)}
			if c.init > 0 {
				r.Start, r.InitDurationMs = record.Cold, &c.init
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// days makes n calls; each tenth starts cold.
func days(n int, edit func(i int, c *call)) (all []call) {
	for i := range n {
		c := call{duration: 20 + float64(i%7), memory: 512, used: 91, version: "$LATEST"}
		if i%10 == 0 {
			c.init = 200 + float64(i%13)
		}
		if edit != nil {
			edit(i, &c)
		}
		all = append(all, c)
	}
	return all
}

func TestTraffic(t *testing.T) {
	for name, test := range map[string]struct {
		calls []call
		want  []string
		not   string
	}{
		"few": {days(100, nil), []string{"How many are cold?: 10.0 % of 100 invocations (10); cold: 229.0 ms", "warm: 23", "Do they matter?: yes: without cold starts callers would wait 47",
			"INIT is 90 % of a cold start", "Enough memory?: 91 of 512 MB used at most", "10 cold starts are too few for a p90, which needs 50: at this rate --since 21d has enough",
			"twinstart tune --source aws --function orders", "--function orders --force-cold"}, "Any change?"},
		"many": {days(3000, nil), []string{"Do they matter?: yes", "and the p99 of all would be 26.00 ms, not"}, "How sure?"},
		"rare": {days(5000, func(i int, c *call) {
			if i%500 != 0 {
				c.init = 0
			}
		}), []string{"0.2 % of 5000 invocations (10)", "Do they matter?: no: without cold starts callers would wait 1."}, "Any change?"},
		"memory was changed": {days(400, func(i int, c *call) {
			if i >= 200 {
				c.memory, c.used, c.duration = 1024, 95, c.duration/2
			}
		}), []string{"Any change?: 512 MB, version $LATEST became 1024 MB, version $LATEST at 2026-11-28 08:00:00; cold: ", "warm: 23.00 ms -> 11.50 ms, -11", "Enough memory?: 95 of 1024 MB"}, ""},
		"a version that changes nothing": {days(400, func(i int, c *call) { c.version = fmt.Sprint(1 + i/200) }), []string{"version 1 became 512 MB, version 2", "no difference found"}, ""},
		"two versions take turns":        {days(400, func(i int, c *call) { c.version = fmt.Sprint(1 + i%2) }), nil, "Any change?"},
		"it drifts": {days(2000, func(i int, c *call) {
			if i > 1000 && c.init > 0 {
				c.init *= 2
			}
		}), []string{"the later half of the cold starts takes 1.90x", "p < 0.001"}, ""},
		"errors":       {days(100, func(i int, c *call) { c.mark = map[bool]record.Mark{true: record.FunctionFailed}[i%20 == 1] }), []string{"5 left out, 5 of them errors"}, ""},
		"nothing cold": {days(100, func(_ int, c *call) { c.init = 0 }), []string{"0.0 % of 100 invocations (0); warm: "}, "Do they matter?"},
		"all cold":     {days(10, func(_ int, c *call) { c.init = 9 }), []string{"100.0 % of 10 invocations (10); cold: "}, "Do they matter?"},
		"nothing":      {nil, []string{"What next?: twinstart tune"}, "How many"},
	} {
		answers, err := report.Traffic(calls(test.calls), "orders")
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for _, a := range answers {
			fmt.Fprintf(&text, "%s: %s\n", a.Question, a.Answer)
		}
		for _, want := range test.want {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s: no %q in\n%s", name, want, text.String())
			}
		}
		if test.not != "" && strings.Contains(text.String(), test.not) {
			t.Errorf("%s: %q in\n%s", name, test.not, text.String())
		}
	}
}
