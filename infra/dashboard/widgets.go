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
		Stat       string  `json:"stat"`
		Metrics    [][]any `json:"metrics"`
		YAxis      any     `json:"yAxis"`
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

// maxMetrics is how many metrics a dashboard may show at the price of a small one, of which an account's first three cost nothing; one with
// more is 3.00 USD a month, however few there are. https://aws.amazon.com/cloudwatch/pricing/
const maxMetrics = 50

// row is a line of widgets, and how many metrics they read.
type row struct {
	height  int
	kind    string
	metrics int
	widgets []any // properties
}

// widgets defines the dashboard, or two where one would have more metrics than cost nothing. A body is one text with ${f0} for the name
// of the first function and ${g0} for that of its log group, which CloudFormation fills in: each name stands in the template once.
func (c parts) widgets() {
	names := map[string]*string{}
	for i, a := range c.Arms {
		names[fmt.Sprintf("f%d", i)] = a.Function.FunctionName()
		names[fmt.Sprintf("g%d", i)] = c.groups[i]
	}
	for i, rows := range boards(c.rows()) {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(body{layOut(rows)}); err != nil {
			panic(err) // of structs, text and numbers
		}
		used := map[string]*string{} // Fn::Sub refuses names that its text has not
		for name, value := range names {
			if bytes.Contains(text.Bytes(), []byte("${"+name+"}")) {
				used[name] = value
			}
		}
		id, suffix := "Board", ""
		if i > 0 {
			id, suffix = fmt.Sprintf("Board%d", i+1), fmt.Sprintf("-%d", i+1)
		}
		awscloudwatch.NewCfnDashboard(c.scope, &id, &awscloudwatch.CfnDashboardProps{
			// Dashboards are the account's, stacks are the region's.
			DashboardName: awscdk.Fn_Sub(jsii.String("${AWS::StackName}-${AWS::Region}"+suffix), nil),
			DashboardBody: awscdk.Fn_Sub(jsii.String(strings.TrimSpace(text.String())), &used),
		})
	}
}

// boards deals rows out so that no dashboard has more metrics than cost nothing. Where two do not hold them all, one large one is
// cheaper than three small ones in an account that has some already.
func boards(rows []row) [][]row {
	var small [][]row
	sum := maxMetrics
	for _, r := range rows {
		if sum += r.metrics; len(small) == 0 || sum > maxMetrics {
			small, sum = append(small, nil), r.metrics
		}
		small[len(small)-1] = append(small[len(small)-1], r)
	}
	if len(small) > 2 {
		return [][]row{rows}
	}
	return small
}

// layOut puts rows one below the other.
func layOut(rows []row) []widget {
	var all []widget
	y := 0
	for _, r := range rows {
		width := gridWidth / len(r.widgets)
		for i, properties := range r.widgets {
			all = append(all, widget{r.kind, i * width, y, width, r.height, properties})
		}
		y += r.height
	}
	return all
}

// rows are what is shown. What Lambda's reports say is asked of the logs, which costs next to nothing and compares arms by their true
// percentiles over any time; only what no log knows is read from metrics.
func (c parts) rows() []row {
	high := 4 + len(c.Arms)/3 // bars that can still be told apart
	rows := []row{{height: 7, kind: "text", widgets: []any{words{c.howToRead()}}}}
	for _, chunk := range c.chunks() {
		from := sources(chunk)
		var line []any
		for _, b := range c.bars() {
			line = append(line, table{b.title, "${AWS::Region}", "bar", from + b.text})
		}
		half := len(line) / 2
		rows = append(rows, row{high, "log", 0, line[:half]}, row{high, "log", 0, line[half:]})
		for _, q := range c.logQueries() {
			rows = append(rows, row{high, "log", 0, []any{table{q.title, "${AWS::Region}", "table", from + q.text}}})
		}
	}
	n := len(c.Arms)
	return append(rows,
		row{high, "metric", n, []any{c.byFunction("Throttles", "Throttles", "Sum")}},
		row{high, "metric", n, []any{c.byFunction("Concurrent executions, max", "ConcurrentExecutions", "Maximum")}})
}

// sources begins a query in a dashboard.
func sources(groups []int) string {
	var b strings.Builder
	for _, i := range groups {
		fmt.Fprintf(&b, "SOURCE '${g%d}' | ", i)
	}
	return b.String()
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
	return graph{Title: title, Region: "${AWS::Region}", View: "bar", WholeRange: true, Stat: stat, Metrics: metrics, YAxis: map[string]any{"left": map[string]any{"min": 0}}}
}

// howToRead is the dashboard's first widget.
func (c parts) howToRead() string {
	legend := ""
	for i, a := range c.Arms {
		if c.shared() {
			legend += fmt.Sprintf("\n* %s is the function ${f%d}", c.name(a), i)
		}
	}
	return fmt.Sprintf(`# Twinstart: %s
One bar is one arm over the time range chosen above; logs reach back a week. Shorter is better, except that **an arm with few samples proves nothing**: see the counts in the tables.
* **Init Duration** is the INIT phase of a cold start, which AWS bills. What comes before it (download, unpacking, placement) is in no log and no metric: only the caller's clock sees it.
* **Duration** is the invocation without INIT. A cold start's caller waits for both, and for what comes before.
* **Cold-start share** tells how often the first figure matters. While an experiment runs it is high on purpose.
* **Errors, throttles**: an arm that has any was not measured as it should be; no bar means none. **Max memory** bounds how far the memory size can go down.
* **Cost** is billed milliseconds times memory times list price of us-east-1, plus requests; no free tier, no storage, no logs.
* p99 of fewer than 200 samples is a guess. For intervals, ranks and a verdict: `+"`twinstart run --source aws`.", c.Experiment) + legend
}
