package dashboard

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// report selects REPORT, which the JSON format calls platform.report, and gives its figures one name in both.
const report = `filter type = "platform.report" or @type = "REPORT"
| fields coalesce(record.metrics.durationMs, @duration) as duration,
         coalesce(record.metrics.initDurationMs, @initDuration) as init,
         coalesce(record.metrics.billedDurationMs, @billedDuration) as billed,
         coalesce(record.metrics.memorySizeMB, @memorySize / 1000000) as memory,
         coalesce(record.metrics.maxMemoryUsedMB, @maxMemoryUsed / 1000000) as used
`

// logQuery is a query of Logs Insights; by is what it groups by.
type logQuery struct{ id, title, text string }

// logQueries are saved, and shown in the dashboard where they say what metrics cannot.
func (c parts) logQueries() []logQuery {
	by := "@log" // the log group
	if c.has(Metrics) {
		by = "arm"
	}
	return []logQuery{
		{"ColdStartsByArm", "cold starts by arm", report + `| stats count(*) as invocations, count(init) as cold, 100 * count(init) / count(*) as coldPercent,
        pct(init, 50) as initP50, pct(init, 90) as initP90, pct(init, 99) as initP99, max(init) as initMax, max(used) as maxMemoryMB by ` + by + `
| sort initP50 asc`},
		{"CostByArm", "estimated cost by arm, in USD", report + `| stats sum(billed) as billedMs, count(*) as invocations,
        sum(billed / 1000 * memory / 1024) * ` + c.gbSecond() + ` + count(*) * ` + c.request() + ` as costUSD by ` + by + `
| sort costUSD desc`},
		{"ByLogStream", "by log stream, as published", `filter @type = "REPORT" or type = "platform.report"
| fields coalesce(@duration, record.metrics.durationMs) as duration, coalesce(@initDuration, record.metrics.initDurationMs) as init
| stats count(*), pct(duration, 99), max(init), pct(init, 99) by @logStream`},
	}
}

// gbSecond and request are the first arm's: an experiment is of one architecture.
func (c parts) gbSecond() string {
	return fmt.Sprintf("%.10f", c.Prices[c.Arms[0].Identity.Architecture].GBSecond)
}
func (c parts) request() string {
	return fmt.Sprintf("%.7f", c.Prices[c.Arms[0].Identity.Architecture].Request)
}

// maxLogGroups is how many log groups a query of Logs Insights takes.
const maxLogGroups = 50

// queries saves the queries, under Twinstart/EXPERIMENT in the console's list.
func (c parts) queries() {
	for _, q := range c.logQueries() {
		for i, arms := range chunks(c.Arms) {
			var groups []any
			for k := range arms {
				groups = append(groups, c.groups[i*maxLogGroups+k])
			}
			name, id := c.namespace()+"/"+q.title, q.id
			if i > 0 {
				name, id = fmt.Sprintf("%s (%d)", name, i+1), fmt.Sprintf("%s%d", id, i+1)
			}
			awslogs.NewCfnQueryDefinition(c.scope, &id, &awslogs.CfnQueryDefinitionProps{Name: &name, QueryString: jsii.String(q.text), LogGroupNames: &groups})
		}
	}
}

// chunks splits arms into what one query can take.
func chunks(arms []Arm) [][]Arm { return slices.Collect(slices.Chunk(arms, maxLogGroups)) }
