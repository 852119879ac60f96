package dashboard

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
)

// report selects Lambda's report, which is REPORT in the text format and platform.report in the JSON format. It gives
// the figures the same names in both formats.
const report = `filter type = "platform.report" or @type = "REPORT"
| fields coalesce(record.metrics.durationMs, @duration) as duration,
         coalesce(record.metrics.initDurationMs, @initDuration) as init,
         coalesce(record.metrics.billedDurationMs, @billedDuration) as billed,
         coalesce(record.metrics.memorySizeMB, @memorySize / 1000000) as memory,
         coalesce(record.metrics.maxMemoryUsedMB, @maxMemoryUsed / 1000000) as used
`

// logQuery is a query of Logs Insights.
type logQuery struct{ id, title, text string }

// by returns the field that tells arms apart: the key that the transformers add, or else the log group. In a shared log
// group it is the function, whose name is in the name of the log stream. See
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html.
func (c parts) by() string {
	switch {
	case c.shared():
		return "functionName"
	case c.transforms():
		return "arm"
	}
	return "@log"
}

// events returns the start of a query: its events, with a field that tells them apart.
func (c parts) events(filter string) string {
	if c.shared() {
		return `parse @logStream "*/*/*/*[*" as year, month, day, functionName, environment` + "\n| " + filter
	}
	return filter
}

// bars returns the queries that the dashboard draws.
func (c parts) bars() []logQuery {
	by, stats := " by "+c.by(), c.events(report)+"| stats "
	failed := c.events(`filter type = "platform.report" and record.status != "success" `)
	bars := []logQuery{
		{"", "Init Duration, p50 p90 p99, ms", stats +
			"pct(init, 50) as p50, pct(init, 90) as p90, pct(init, 99) as p99" + by},
		{"", "Duration, p50 p95 p99 max, ms", stats +
			"pct(duration, 50) as p50, pct(duration, 95) as p95, pct(duration, 99) as p99, max(duration) as slowest" + by},
		{"", "Cold-start share, %", stats + "100 * sum(ispresent(init)) / count(*) as coldPercent" + by},
		{"", "Errors", failed + "| stats count(*) as errors" + by},
		{"", "Max memory used, MB", stats + "max(used) as maxMemoryMB" + by},
	}
	if cost := c.cost(); cost != "" {
		bars = append(bars, logQuery{"", "Estimated cost, USD", stats + cost + " as costUSD" + by})
	}
	return bars
}

// byLogStream is a query that others have published, for reports in both formats.
const byLogStream = `filter @type = "REPORT" or type = "platform.report"
| fields coalesce(@duration, record.metrics.durationMs) as duration,
         coalesce(@initDuration, record.metrics.initDurationMs) as init
| stats count(*), pct(duration, 99), max(init), pct(init, 99) by @logStream`

// logQueries returns the queries that are saved. The dashboard shows them as tables.
func (c parts) logQueries() []logQuery {
	by, stats := " by "+c.by(), c.events(report)+"| stats "
	queries := []logQuery{{"ColdStartsByArm", "cold starts by arm", stats +
		`count(*) as invocations, sum(ispresent(init)) as cold, 100 * sum(ispresent(init)) / count(*) as coldPercent,
        pct(init, 50) as initP50, pct(init, 90) as initP90, pct(init, 99) as initP99, max(init) as initMax,
        max(used) as maxMemoryMB` + by + "\n| sort initP50 asc"}}
	if cost := c.cost(); cost != "" {
		queries = append(queries, logQuery{"CostByArm", "estimated cost by arm, in USD", stats +
			"sum(billed) as billedMs, count(*) as invocations,\n        " + cost + " as costUSD" + by + "\n| sort costUSD desc"})
	}
	return append(queries, logQuery{"ByLogStream", "by log stream, as published", byLogStream})
}

// Price is in USD.
type Price struct{ GBSecond, Request float64 }

// DefaultPrices are list prices of us-east-1, first tier, as of 2026-11-21. https://aws.amazon.com/lambda/pricing/
var DefaultPrices = map[arm.Architecture]Price{
	arm.ARM64: {GBSecond: 0.0000133334, Request: 0.0000002},
	arm.X8664: {GBSecond: 0.0000166667, Request: 0.0000002},
}

// cost returns an expression for the price of invocations, or "" if no price is known. A query has one price, so there
// is no cost for functions of two architectures.
func (c parts) cost() string {
	p, known := c.Prices[c.architectures[0]]
	if !known || slices.ContainsFunc(c.architectures, func(a arm.Architecture) bool { return a != c.architectures[0] }) {
		return ""
	}
	return fmt.Sprintf("sum(billed / 1000 * memory / 1024) * %.10f + count(*) * %.7f", p.GBSecond, p.Request)
}

// maxLogGroups is the most log groups that one query of Logs Insights may have.
const maxLogGroups = 50

// queries saves the queries, under Twinstart/EXPERIMENT in the console's list.
func (c parts) queries() {
	for _, q := range c.logQueries() {
		for i, chunk := range c.chunks() {
			groups := list.Map(chunk, func(k int) any { return c.groups[k] })
			name, id := c.namespace()+"/"+q.title, q.id
			if i > 0 {
				name, id = fmt.Sprintf("%s (%d)", name, i+1), fmt.Sprintf("%s%d", id, i+1)
			}
			awslogs.NewCfnQueryDefinition(c.scope, &id, &awslogs.CfnQueryDefinitionProps{
				Name: &name, QueryString: &q.text, LogGroupNames: &groups,
			})
		}
	}
}

// chunks splits log groups into groups that one query can take.
func (c parts) chunks() [][]int { return slices.Collect(slices.Chunk(c.firsts, maxLogGroups)) }
