package dashboard

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm/list"
)

// object is a JSON object of a dashboard's body, as PutDashboard takes it.
// See https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html.
type object = map[string]any

// gridWidth is the width of a dashboard in CloudWatch's units.
const gridWidth = 24

// maxMetrics is the most metrics that a free dashboard has. The first three dashboards of an account are free; one with
// more metrics costs 3.00 USD a month. https://aws.amazon.com/cloudwatch/pricing/
const maxMetrics = 50

// row is a line of widgets of one kind.
type row struct {
	height  int
	kind    string
	widgets []object // their properties
}

// widgets defines the dashboard, or two if one would have too many metrics to be free. A dashboard's body is one text.
// In it ${f0} is the name of the first function and ${g0} the name of its log group. CloudFormation fills these in, so
// each name is in the template once.
func (c parts) widgets() {
	names := map[string]*string{}
	for i, a := range c.Arms {
		names[fmt.Sprintf("f%d", i)] = a.Function.FunctionName()
		names[fmt.Sprintf("g%d", i)] = c.groups[i]
	}
	rows := c.rows()
	boards := [][]row{rows}
	// The last two rows read a metric of each arm. If a free dashboard has room for one row only, the last gets its own.
	if n := len(c.Arms); 2*n > maxMetrics && n <= maxMetrics {
		boards = [][]row{rows[:len(rows)-1], rows[len(rows)-1:]}
	}
	for i, rows := range boards {
		var text strings.Builder
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(object{"widgets": layOut(rows)}) // maps, lists, text and numbers have an encoding
		used := maps.Clone(names)
		maps.DeleteFunc(used, func(name string, _ *string) bool { // Fn::Sub refuses names that the text does not contain
			return !strings.Contains(text.String(), "${"+name+"}")
		})
		id, suffix := "Board", ""
		if i > 0 {
			id, suffix = fmt.Sprintf("Board%d", i+1), fmt.Sprintf("-%d", i+1)
		}
		awscloudwatch.NewCfnDashboard(c.scope, &id, &awscloudwatch.CfnDashboardProps{
			// A dashboard's name is unique in an account, a stack's name only in a region.
			DashboardName: awscdk.Fn_Sub(jsii.String("${AWS::StackName}-${AWS::Region}"+suffix), nil),
			DashboardBody: awscdk.Fn_Sub(jsii.String(strings.TrimSpace(text.String())), &used),
		})
	}
}

// layOut puts rows one below the other.
func layOut(rows []row) (all []object) {
	y := 0
	for _, r := range rows {
		width := gridWidth / len(r.widgets)
		for i, properties := range r.widgets {
			all = append(all, object{"type": r.kind, "x": i * width, "y": y, "width": width, "height": r.height,
				"properties": properties})
		}
		y += r.height
	}
	return all
}

// howToRead is the text of the first widget.
//
//go:embed howtoread.md
var howToRead string

// rows returns what is shown. Figures of Lambda's reports are queried from the logs, which costs next to nothing and
// gives true percentiles over any time. Metrics are read only for figures that no log contains.
func (c parts) rows() []row {
	high := 4 + len(c.Arms)/3 // bars can still be told apart
	text := fmt.Sprintf(strings.TrimSpace(howToRead), c.Experiment)
	for i, a := range c.Arms {
		if c.shared() {
			text += fmt.Sprintf("\n* %s is the function ${f%d}", c.name(a), i)
		}
	}
	rows := []row{{height: 7, kind: "text", widgets: []object{{"markdown": text}}}}
	for _, chunk := range c.chunks() {
		from := strings.Join(list.Map(chunk, func(i int) string { return fmt.Sprintf("SOURCE '${g%d}' | ", i) }), "")
		line := list.Map(c.bars(), func(q logQuery) object { return queryWidget(q.title, "bar", from+q.text) })
		rows = append(rows, row{high, "log", line[:len(line)/2]}, row{high, "log", line[len(line)/2:]})
		for _, q := range c.logQueries() {
			rows = append(rows, row{high, "log", []object{queryWidget(q.title, "table", from+q.text)}})
		}
	}
	return append(rows,
		row{high, "metric", []object{c.byFunction("Throttles", "Throttles", "Sum")}},
		row{high, "metric", []object{c.byFunction("Concurrent executions, max", "ConcurrentExecutions", "Maximum")}})
}

func queryWidget(title, view, query string) object {
	return object{"title": title, "region": "${AWS::Region}", "view": view, "query": query}
}

// byFunction shows one of the free metrics of AWS/Lambda. It has one bar for the whole time range that is chosen
// above the dashboard, because arms are compared, not minutes.
func (c parts) byFunction(title, name, stat string) object {
	var metrics [][]any
	for i, a := range c.Arms {
		entry := []any{".", ".", "."} // a dot repeats what is above it
		if i == 0 {
			entry = []any{"AWS/Lambda", name, "FunctionName"}
		}
		metrics = append(metrics, append(entry, fmt.Sprintf("${f%d}", i), object{"label": c.name(a)}))
	}
	return object{"title": title, "region": "${AWS::Region}", "view": "bar", "setPeriodToTimeRange": true, "stat": stat,
		"metrics": metrics, "yAxis": object{"left": object{"min": 0}}}
}
