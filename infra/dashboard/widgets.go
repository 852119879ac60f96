package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"
)

// The body of a dashboard, as PutDashboard takes it.
// See https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html.
type (
	body struct {
		Widgets []widget `json:"widgets"`
	}
	widget struct {
		Type       string `json:"type"`
		X          int    `json:"x"`
		Y          int    `json:"y"`
		Width      int    `json:"width"`
		Height     int    `json:"height"`
		Properties any    `json:"properties"`
	}
	graph struct {
		Title  string `json:"title"`
		Region string `json:"region"`
		View   string `json:"view"`
		// One bar for the whole time range that is chosen above the dashboard: arms are compared, not minutes.
		WholeRange bool    `json:"setPeriodToTimeRange"`
		Stat       string  `json:"stat,omitempty"`
		Metrics    [][]any `json:"metrics"`
		YAxis      any     `json:"yAxis,omitempty"`
	}
	table struct {
		Title  string `json:"title"`
		Region string `json:"region"`
		View   string `json:"view"`
		Query  string `json:"query"`
	}
	words struct {
		Markdown string `json:"markdown"`
	}
)

// gridWidth is CloudWatch's.
const gridWidth = 24

// widgets defines the dashboard. Its body is one text with ${f0} for the name of the first function and ${g0} for that of its log group,
// which CloudFormation fills in: each name stands in the template once.
func (c parts) widgets() {
	names := map[string]*string{}
	for i, a := range c.Arms {
		names[fmt.Sprintf("f%d", i)] = a.Function.FunctionName()
		names[fmt.Sprintf("g%d", i)] = c.groups[i]
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body{c.rows()}); err != nil {
		panic(err) // of structs, text and numbers
	}
	awscloudwatch.NewCfnDashboard(c.scope, jsii.String("Board"), &awscloudwatch.CfnDashboardProps{
		// Dashboards are the account's, stacks are the region's.
		DashboardName: awscdk.Fn_Sub(jsii.String("${AWS::StackName}-${AWS::Region}"), nil),
		DashboardBody: awscdk.Fn_Sub(jsii.String(strings.TrimSpace(text.String())), &names),
	})
}

// rows lays the widgets out, one row below the other.
func (c parts) rows() []widget {
	var all []widget
	y := 0
	row := func(height int, kind string, properties ...any) {
		for i, p := range properties {
			width := gridWidth / len(properties)
			all = append(all, widget{kind, i * width, y, width, height, p})
		}
		y += height
	}
	bars := 4 + len(c.Arms)/3 // rows of bars that can still be told apart
	row(7, "text", words{c.howToRead()})
	if c.has(Metrics) {
		row(bars, "metric", c.byArm("Init Duration, p50, ms", initDuration, "p50"), c.byArm("Init Duration, p90, ms", initDuration, "p90"), c.byArm("Init Duration, p99, ms", initDuration, "p99"))
	}
	row(bars, "metric", c.byFunction("Duration, p50, ms", "Duration", "p50"), c.byFunction("Duration, p95, ms", "Duration", "p95"),
		c.byFunction("Duration, p99, ms", "Duration", "p99"), c.byFunction("Duration, max, ms", "Duration", "Maximum"))
	row(bars, "metric", c.byFunction("Errors", "Errors", "Sum"), c.byFunction("Throttles", "Throttles", "Sum"), c.byFunction("Concurrent executions, max", "ConcurrentExecutions", "Maximum"))
	if c.has(Metrics) {
		row(bars, "metric", c.coldShare(), c.byArm("Max memory used, MB", maxMemoryUsed, "Maximum"))
	}
	for _, q := range c.logQueries() {
		for i, arms := range chunks(c.Arms) {
			row(bars, "log", table{q.title, "${AWS::Region}", "table", sources(i*maxLogGroups, len(arms)) + q.text})
		}
	}
	return all
}

// sources begins a query in a dashboard.
func sources(first, count int) string {
	var b strings.Builder
	for i := first; i < first+count; i++ {
		fmt.Fprintf(&b, "SOURCE '${g%d}' | ", i)
	}
	return b.String()
}

func bar(title string, metrics [][]any) graph {
	return graph{Title: title, Region: "${AWS::Region}", View: "bar", WholeRange: true, Metrics: metrics, YAxis: map[string]any{"left": map[string]any{"min": 0}}}
}

// byFunction shows one of AWS/Lambda's own metrics, which are free. A dot repeats what stands above it.
func (c parts) byFunction(title, name, stat string) graph {
	var metrics [][]any
	for i, a := range c.Arms {
		entry := []any{".", ".", "."}
		if i == 0 {
			entry = []any{"AWS/Lambda", name, "FunctionName"}
		}
		metrics = append(metrics, append(entry, fmt.Sprintf("${f%d}", i), map[string]any{"label": c.name(a)}))
	}
	g := bar(title, metrics)
	g.Stat = stat
	return g
}

// byArm shows one of the experiment's metrics for every arm that has one.
func (c parts) byArm(title, name, stat string) graph {
	search := fmt.Sprintf(`SEARCH('{%s,arm,bootstrap,package} MetricName="%s"', '%s')`, c.namespace(), name, stat)
	return bar(title, [][]any{{map[string]any{"expression": search, "label": "${!PROP('Dim.arm')}"}}}) // ${!x} is Fn::Sub's way of writing ${x}
}

// coldShare divides the number of Init Durations by AWS/Lambda's invocations.
func (c parts) coldShare() graph {
	var metrics [][]any
	for i, a := range c.Arms {
		metrics = append(metrics,
			[]any{c.namespace(), initDuration, "arm", c.name(a), "bootstrap", or(a.Identity.Bootstrap), "package", or(string(a.Identity.Package)),
				map[string]any{"id": fmt.Sprintf("c%d", i), "stat": "SampleCount", "visible": false}},
			[]any{"AWS/Lambda", "Invocations", "FunctionName", fmt.Sprintf("${f%d}", i), map[string]any{"id": fmt.Sprintf("n%d", i), "stat": "Sum", "visible": false}},
			[]any{map[string]any{"expression": fmt.Sprintf("100 * FILL(c%d, 0) / n%d", i, i), "label": c.name(a), "id": fmt.Sprintf("s%d", i)}})
	}
	return bar("Cold-start share, %", metrics)
}

// or is what a transformer writes for nothing.
func or(value string) string {
	if value == "" {
		return "-"
	}
	return value
}

// howToRead is the dashboard's first widget.
func (c parts) howToRead() string {
	return fmt.Sprintf(`# Twinstart: %s
One bar is one arm over the whole time range chosen above. Shorter is better, except that **an arm with few samples proves nothing**: see the counts in the tables.
* **Init Duration** is the INIT phase of a cold start, which AWS bills. What comes before it (download, unpacking, placement) is in no metric: only the caller's clock sees it.
* **Duration** is the invocation without INIT. A cold start's caller waits for both, and for what comes before.
* **Cold-start share** tells how often the first figure matters. While an experiment runs it is high on purpose.
* **Errors, throttles**: an arm that has any was not measured as it should be. **Max memory** bounds how far the memory size can go down.
* **Cost** is billed milliseconds times memory times list price of us-east-1, plus requests; no free tier, no storage, no logs.
* p99 of fewer than 200 samples is a guess. For intervals, ranks and a verdict: `+"`twinstart run --source aws`.", c.Experiment)
}
