package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/dashboard"
)

const (
	dashboardType    = "AWS::CloudWatch::Dashboard"
	alarmType        = "AWS::CloudWatch::Alarm"
	insightRuleType  = "AWS::CloudWatch::InsightRule"
	metricFilterType = "AWS::Logs::MetricFilter"
	queryType        = "AWS::Logs::QueryDefinition"
	transformerType  = "AWS::Logs::Transformer"
)

// Each part defines its own resources and no others.
func TestObserve(t *testing.T) {
	for _, test := range []struct {
		observe string
		want    map[string]int // beside functions, roles and log groups
	}{
		{"none", map[string]int{}},
		{"dashboard", map[string]int{dashboardType: 1, transformerType: 2}},
		{"metrics", map[string]int{transformerType: 2, metricFilterType: 4}},
		{"alarms", map[string]int{alarmType: 3, metricFilterType: 6}},
		{"queries", map[string]int{queryType: 3, transformerType: 2}},
		{"contributors", map[string]int{transformerType: 2, insightRuleType: 1}},
		{"metrics,contributors", map[string]int{transformerType: 2, metricFilterType: 4, insightRuleType: 1}},
		{"", map[string]int{dashboardType: 1, transformerType: 2, metricFilterType: 6, alarmType: 3, queryType: 3}},
	} {
		context := map[string]any{"arms": "rawtcp/zip,nethttp/zip", "observe": test.observe}
		if test.observe == "" {
			delete(context, "observe")
		}
		template, _ := synth(t, context, nil)
		got := map[string]int{}
		for _, r := range template.Resources {
			if !slices.Contains([]string{functionType, roleType, logGroupType}, r.Type) {
				got[r.Type]++
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("observe=%s (-want +got):\n%s", test.observe, diff)
		}
	}
}

// All figures come from platform.report, so every function must log it.
func TestFunctionsLogReportsInJSON(t *testing.T) {
	template, _ := synth(t, map[string]any{"arms": "rawtcp"}, nil)
	functions := template.ofType(functionType)
	if len(functions) != 3 {
		t.Errorf("%d functions, want 3", len(functions))
	}
	for _, f := range functions {
		logging := f.Properties["LoggingConfig"].(map[string]any)
		if level, given := logging["SystemLogLevel"]; logging["LogFormat"] != "JSON" || given && level != "INFO" {
			t.Errorf("LoggingConfig is %v, want JSON at INFO", logging)
		}
	}
}

// Dimensions come from the keys that transformers add. The emulator does not keep which filters read transformed events,
// so only this test checks it.
func TestFiltersByArmReadTransformedEvents(t *testing.T) {
	template, _ := synth(t, map[string]any{"arms": "rawtcp", "observe": "metrics,alarms"}, nil)
	byArm := 0
	for _, f := range template.ofType("AWS::Logs::MetricFilter") {
		_, dimensions := f.Properties["MetricTransformations"].([]any)[0].(map[string]any)["Dimensions"]
		if transformed := f.Properties["ApplyOnTransformedLogs"] == true; transformed != dimensions {
			t.Errorf("ApplyOnTransformedLogs is %v: %v", f.Properties["ApplyOnTransformedLogs"], f.Properties)
		}
		if dimensions {
			byArm++
		}
	}
	if byArm == 0 {
		t.Error("no filter has dimensions")
	}
}

// dashboardBodies returns the bodies of the dashboards, with the names filled in.
func dashboardBodies(t *testing.T, template template) (texts []string, widgets [][]map[string]any) {
	t.Helper()
	boards := template.ofType(dashboardType)
	slices.SortFunc(boards, func(a, b resource) int {
		return len(fmt.Sprint(a.Properties["DashboardName"])) - len(fmt.Sprint(b.Properties["DashboardName"])) // the second has a suffix
	})
	for _, board := range boards {
		sub := board.Properties["DashboardBody"].(map[string]any)["Fn::Sub"].([]any)
		names := sub[1].(map[string]any)
		text := regexp.MustCompile(`\$\{([^!}]+)\}`).ReplaceAllStringFunc(sub[0].(string), func(name string) string {
			name = name[2 : len(name)-1]
			if name == "AWS::Region" {
				return "us-east-1"
			}
			ref, ok := names[name].(map[string]any)
			if !ok {
				t.Errorf("${%s} has no value", name)
				return ""
			}
			return ref["Ref"].(string)
		})
		text = strings.ReplaceAll(text, "${!", "${")
		var body struct{ Widgets []map[string]any }
		if err := json.Unmarshal([]byte(text), &body); err != nil {
			t.Fatalf("a dashboard is not JSON: %v", err)
		}
		texts, widgets = append(texts, text), append(widgets, body.Widgets)
	}
	return texts, widgets
}

// metricsOf counts the metrics of a dashboard, which decide its price.
func metricsOf(widgets []map[string]any) (n int) {
	for _, w := range widgets {
		metrics, _ := w["properties"].(map[string]any)["metrics"].([]any)
		n += len(metrics)
	}
	return n
}

func TestDashboardShowsEveryArm(t *testing.T) {
	template, _ := synth(t, nil, nil)
	texts, boards := dashboardBodies(t, template)
	titles := []string{}
	for i, widgets := range boards {
		if n := metricsOf(widgets); n > 50 {
			t.Errorf("dashboard %d shows %d metrics, want 50 at most: with more it costs 3.00 USD a month", i, n)
		}
		for _, w := range widgets {
			title, _ := w["properties"].(map[string]any)["title"].(string)
			titles = append(titles, title)
			if x, width := w["x"].(float64), w["width"].(float64); x+width > 24 {
				t.Errorf("%s ends in column %v of 24", title, x+width)
			}
		}
	}
	want := []string{"", "Init Duration, p50 p90 p99, ms", "Duration, p50 p95 p99 max, ms", "Cold-start share, %", "Errors", "Max memory used, MB", "Estimated cost, USD",
		"cold starts by arm", "estimated cost by arm, in USD", "by log stream, as published", "Throttles", "Concurrent executions, max"}
	if diff := cmp.Diff(want, titles); diff != "" {
		t.Errorf("widgets (-want +got):\n%s", diff)
	}
	text := strings.Join(texts, "\n")
	for id, r := range template.Resources {
		// Throttles and concurrency of each function; and one SOURCE for each query.
		if n := strings.Count(text, `"`+id+`"`); r.Type == functionType && n != 2 {
			t.Errorf("function %s is shown %d times, want 2", id, n)
		}
		if n := strings.Count(text, "SOURCE '"+id+"'"); r.Type == logGroupType && n != 9 {
			t.Errorf("log group %s is queried %d times, want 9", id, n)
		}
	}
}

// Up to 50 metrics fit on one free dashboard, up to 100 on two. With more there is one dashboard, because one is
// cheaper than many.
func TestDashboardsCostLittle(t *testing.T) {
	for _, test := range []struct {
		context map[string]any
		metrics []int
	}{
		{map[string]any{"arms": "*/zip,*/image"}, []int{36}},
		{nil, []int{27, 27}},
		{map[string]any{"memory": "128,1024"}, []int{108}},
	} {
		template, _ := synth(t, test.context, nil)
		_, boards := dashboardBodies(t, template)
		got := []int{}
		for _, widgets := range boards {
			got = append(got, metricsOf(widgets))
		}
		if !slices.Equal(got, test.metrics) {
			t.Errorf("%v: dashboards of %v metrics, want %v", test.context, got, test.metrics)
		}
	}
}

// With two memories an arm has two functions. Together they have more log groups than one query takes.
func TestDashboardOfTwoMemories(t *testing.T) {
	template, _ := synth(t, map[string]any{"memory": "128,1024"}, nil)
	texts, _ := dashboardBodies(t, template)
	for _, name := range []string{`"label":"rawtcp/zip@128"`, `"label":"rawtcp/zip@1024"`} {
		if !strings.Contains(texts[0], name) {
			t.Errorf("no %s", name)
		}
	}
	for _, q := range template.ofType(queryType) {
		if n := len(q.Properties["LogGroupNames"].([]any)); n > 50 {
			t.Errorf("query %s has %d log groups; it takes 50", q.Properties["Name"], n)
		}
	}
	if n := len(template.Resources); n > 500 {
		t.Errorf("%d resources; a stack takes 500", n)
	}
}

// An alarm's price depends on the metrics that it reads. It reads the experiment's metrics, so the number of arms does
// not matter.
func TestAlarmsAreForTheExperiment(t *testing.T) {
	template, _ := synth(t, nil, nil)
	read := 0
	for _, a := range template.ofType(alarmType) {
		for _, m := range a.Properties["Metrics"].([]any) {
			stat, ok := m.(map[string]any)["MetricStat"].(map[string]any)
			if !ok {
				continue
			}
			read++
			if metric := stat["Metric"].(map[string]any); metric["Dimensions"] != nil {
				t.Errorf("an alarm reads a metric with dimensions: %v", metric)
			}
		}
		if a.Properties["TreatMissingData"] != "notBreaching" {
			t.Errorf("this alarm would go off if the experiment does not run: %v", a.Properties)
		}
	}
	if read != 6 {
		t.Errorf("alarms read %d metrics, want 6, which are 0.60 USD a month", read)
	}
}

func TestDashboardMistakes(t *testing.T) {
	stack, builder := someStack(t)
	f := bashfunction.NewBashFunction(stack, jsii.String("Hello"), &bashfunction.BashFunctionProps{Entry: jsii.String("handlers/hello"), Builder: builder})
	imported := awslambda.Function_FromFunctionName(stack, jsii.String("Other"), jsii.String("other"))
	named := func(names ...string) []dashboard.Arm {
		var arms []dashboard.Arm
		for _, name := range names {
			arms = append(arms, dashboard.Arm{Function: f, LogGroup: f.LogGroup(), Identity: arm.Identity{Arm: name}})
		}
		return arms
	}
	for _, test := range []struct {
		props *dashboard.DashboardProps
		want  string
	}{
		{nil, `prop Experiment is missing: name what the functions have in common, such as "packaging"`},
		{&dashboard.DashboardProps{Experiment: "a'b"}, `prop Experiment is "a'b": use letters, digits, - _ . and /`},
		{&dashboard.DashboardProps{Experiment: "x"}, "prop Arms is empty: give one function at least"},
		{&dashboard.DashboardProps{Experiment: "x", Arms: make([]dashboard.Arm, 61), Parts: dashboard.Parts()}, "prop Arms has 61 functions and part contributors ranks 60 at most: ..."},
		{&dashboard.DashboardProps{Experiment: "x", Arms: []dashboard.Arm{{Function: imported}}}, "prop Arms: number 1 has no Function or no LogGroup: set both"},
		{&dashboard.DashboardProps{Experiment: "x", Arms: named("")}, "prop Arms: number 1 has no name: set Identity.Arm"},
		{&dashboard.DashboardProps{Experiment: "x", Arms: named("${f0}")}, `prop Arms: "${f0}" cannot name a metric: ...`},
		{&dashboard.DashboardProps{Experiment: "x", Arms: named("a", "a")}, "prop Arms: two are named a: rename one"},
		{&dashboard.DashboardProps{Experiment: "x", Arms: named("a"), Parts: []dashboard.Part{"graphs"}}, `unknown part "graphs": use ...`},
		{&dashboard.DashboardProps{Experiment: "x", Arms: named("a"), Thresholds: dashboard.Thresholds{ErrorRate: 101}}, "prop Thresholds.ErrorRate is 101: use a number above 0, 100 at most"},
	} {
		_, err := dashboard.New(stack, jsii.String("D"), test.props)
		if err == nil {
			t.Errorf("no error, want %s", test.want)
		} else if got := strings.TrimPrefix(err.Error(), `dashboard "D": `); !resembles(got, test.want) {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

// The prices are the same as in reports.
func TestPrices(t *testing.T) {
	var table struct {
		Regions map[string]struct {
			GBSecond map[arm.Architecture]float64 `json:"gb_second"`
			Request  float64
		}
	}
	text, err := os.ReadFile(filepath.Join(repository, "bench", "report", "price", "prices.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &table); err != nil {
		t.Fatal(err)
	}
	region := table.Regions["us-east-1"]
	for a, p := range dashboard.DefaultPrices {
		if p.GBSecond != region.GBSecond[a] || p.Request != region.Request {
			t.Errorf("%s: %v, bench has %v and %v", a, p, region.GBSecond[a], region.Request)
		}
	}
}
