package dashboard

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
)

// report selects REPORT, which is called platform.report in the JSON format, and gives its figures the same names
// in both formats.
const report = `filter type = "platform.report" or @type = "REPORT"
| fields coalesce(record.metrics.durationMs, @duration) as duration,
         coalesce(record.metrics.initDurationMs, @initDuration) as init,
         coalesce(record.metrics.billedDurationMs, @billedDuration) as billed,
         coalesce(record.metrics.memorySizeMB, @memorySize / 1000000) as memory,
         coalesce(record.metrics.maxMemoryUsedMB, @maxMemoryUsed / 1000000) as used
`

// logQuery is a query of Logs Insights.
type logQuery struct{ id, title, text string }

// by returns what tells arms apart: the key that the transformers add, else the log group or, in a shared one, the
// function.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html describes the names of log
// streams.
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
	by, report := " by "+c.by(), c.events(report)
	bars := []logQuery{
		{"", "Init Duration, p50 p90 p99, ms", report + `| stats pct(init, 50) as p50, pct(init, 90) as p90, pct(init, 99) as p99` + by},
		{"", "Duration, p50 p95 p99 max, ms", report + `| stats pct(duration, 50) as p50, pct(duration, 95) as p95, pct(duration, 99) as p99, max(duration) as slowest` + by},
		{"", "Cold-start share, %", report + `| stats 100 * sum(ispresent(init)) / count(*) as coldPercent` + by},
		{"", "Errors", c.events(`filter type = "platform.report" and record.status != "success" `) + `| stats count(*) as errors` + by},
		{"", "Max memory used, MB", report + `| stats max(used) as maxMemoryMB` + by},
	}
	if cost := c.cost(); cost != "" {
		bars = append(bars, logQuery{"", "Estimated cost, USD", report + `| stats ` + cost + ` as costUSD` + by})
	}
	return bars
}

// logQueries returns the queries that are saved, and that the dashboard shows as tables.
func (c parts) logQueries() []logQuery {
	by, report := c.by(), c.events(report)
	queries := []logQuery{{"ColdStartsByArm", "cold starts by arm", report + `| stats count(*) as invocations, sum(ispresent(init)) as cold, 100 * sum(ispresent(init)) / count(*) as coldPercent,
        pct(init, 50) as initP50, pct(init, 90) as initP90, pct(init, 99) as initP99, max(init) as initMax, max(used) as maxMemoryMB by ` + by + `
| sort initP50 asc`}}
	if cost := c.cost(); cost != "" {
		queries = append(queries, logQuery{"CostByArm", "estimated cost by arm, in USD", report + `| stats sum(billed) as billedMs, count(*) as invocations,
        ` + cost + ` as costUSD by ` + by + `
| sort costUSD desc`})
	}
	return append(queries, logQuery{"ByLogStream", "by log stream, as published", `filter @type = "REPORT" or type = "platform.report"
| fields coalesce(@duration, record.metrics.durationMs) as duration, coalesce(@initDuration, record.metrics.initDurationMs) as init
| stats count(*), pct(duration, 99), max(init), pct(init, 99) by @logStream`})
}

// cost returns an expression for the price of invocations, or "" if it is not known. A query has one price, so
// functions of two architectures have none.
func (c parts) cost() string {
	p, known := c.Prices[c.architectures[0]]
	if !known || slices.ContainsFunc(c.architectures, func(a arm.Architecture) bool { return a != c.architectures[0] }) {
		return ""
	}
	return fmt.Sprintf("sum(billed / 1000 * memory / 1024) * %.10f + count(*) * %.7f", p.GBSecond, p.Request)
}

// maxLogGroups is the most log groups of one query of Logs Insights.
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
			awslogs.NewCfnQueryDefinition(c.scope, &id, &awslogs.CfnQueryDefinitionProps{Name: &name, QueryString: jsii.String(q.text), LogGroupNames: &groups})
		}
	}
}

// chunks splits log groups into groups that one query can take.
func (c parts) chunks() [][]int { return slices.Collect(slices.Chunk(c.firsts, maxLogGroups)) }

// slowest is the rule of contributors, without its log groups and keys. A stream has one cold start, hence the sum.
//
//go:embed slowest.json
var slowest string

// contributors defines a Contributor Insights rule. It ranks log streams, which are execution environments, by the
// INIT of their cold start.
// See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/ContributorInsights-RuleSyntax.html.
func (c parts) contributors() {
	var groups []string
	names := map[string]*string{}
	for _, i := range c.firsts {
		groups = append(groups, fmt.Sprintf(`"${g%d}"`, i))
		names[fmt.Sprintf("g%d", i)] = c.groups[i]
	}
	keys := `"$.arm","$.logStream"`
	if c.shared() {
		keys = `"$.logStream"` // whose name contains the function's
	}
	body := fmt.Sprintf(strings.ReplaceAll(slowest, "\n", ""), strings.Join(groups, ","), keys)
	awscloudwatch.NewCfnInsightRule(c.scope, jsii.String("SlowestStreams"), &awscloudwatch.CfnInsightRuleProps{
		RuleName:               awscdk.Fn_Sub(jsii.String("${AWS::StackName}-slowest-init"), nil),
		RuleState:              jsii.String("ENABLED"),
		RuleBody:               awscdk.Fn_Sub(&body, &names),
		ApplyOnTransformedLogs: true,
	})
}
