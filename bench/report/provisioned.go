package report

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/twinstart/twinstart/bench/report/stat"
)

// Ahead says how provisioned environments served a load.
type Ahead struct {
	Environments int      `json:"environments"`       // that ended INIT before their first caller came
	Init         *float64 `json:"init_p50_ms"`        // theirs, without INIT's CPU boost; not part of a cold start
	Spilled      int      `json:"spilled_over"`       // requests that environments on demand answered
	AtLeast      bool     `json:"at_least,omitempty"` // Spilled may be too low: there were no log streams, only INITs
}

// hoursAMonth is the month of AWS's own examples of prices.
const hoursAMonth = 730

// provisioned adds to a lever what provisioned environments cost by the hour. It says when they cost no more than on
// demand: how busy they must be, or how many calls on demand must be cold. See
// https://aws.amazon.com/lambda/pricing/#Provisioned_Concurrency_Pricing.
func (b *builder) provisioned(l *Lever, m, base *measured, monthly float64) string {
	rate, ok := b.rate(m.group.region, m.group.architecture)
	n, err := strconv.Atoi(l.Level)
	if !ok || rate.Provisioned == 0 || err != nil {
		return ""
	}
	l.Hour = number(float64(n*m.group.memory) / 1024 * 3600 * rate.Provisioned)
	text := fmt.Sprintf("it costs %.4f USD an hour, used or not", *l.Hour)
	here, than := m.cost, base.cost
	if here == nil || than == nil {
		return text
	}
	if than.ProvisionedBusy != nil {
		text += fmt.Sprintf(", and less than on demand if each environment is busy for more than %.0f %% of the time",
			100**than.ProvisionedBusy)
	}
	hourly := monthly / hoursAMonth
	if load := m.row.Load; load != nil {
		hourly = 3600 * load.Rate
	}
	share, says := (*l.Hour/hourly*1e6+here.Warm-than.Warm)/(than.Cold-than.Warm), "always more than on demand"
	if share <= 0 {
		says = "never more than on demand"
	} else if share <= 1 {
		l.ColdShare, says = number(share), fmt.Sprintf("no more than on demand if at least %.2g %% are cold", 100*share)
	}
	return text + fmt.Sprintf("; at %.3g calls an hour it costs %s (guides say 20 %%)", hourly, says)
}

// p99 returns a p99 in words, with its interval if there is one.
func (d *Distribution) p99() string {
	if d.P99 == nil {
		return fmt.Sprintf("needs %d requests", stat.MinP99)
	}
	ci := cmp.Or(d.P99CI, &[2]float64{})
	return withInterval(*d.P99, stat.Interval{Lo: ci[0], Hi: ci[1]}, d.P99CI != nil)
}

// ahead answers what provisioned environments did for the callers of a load.
func (l *Levers) ahead() (out []Answer) {
	for i := range l.Rows {
		load, base := l.Rows[i].row, l.Rows[i].base
		if load == nil || base == nil || load.Latency.Count*base.Latency.Count == 0 || load.Ahead == nil {
			continue
		}
		ahead, all := load.Ahead, load.Latency.Count
		text := fmt.Sprintf("provisioned %s: p99 %s, on demand %s; %s%d of %d requests spilled over (%.2g %%)",
			l.Rows[i].Level, load.Latency.p99(), base.Latency.p99(), map[bool]string{true: "at least "}[ahead.AtLeast],
			ahead.Spilled, all, 100*float64(ahead.Spilled)/float64(all))
		if ahead.Init != nil {
			text += fmt.Sprintf("; %s before a caller came took %s at the median, without INIT's CPU boost",
				Plural(ahead.Environments, "INIT"), ms(*ahead.Init))
		}
		if more := l.Rows[i].Text; more != "" {
			text += "; " + more
		}
		out = append(out, Answer{Question: "Provisioned?", Answer: text, Source: l.Source, Clock: ClockLoad})
	}
	return out
}
