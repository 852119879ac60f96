package cost

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/bench/measure"
)

const template = `{"Resources": {
 "F": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 1024, "Architectures": ["arm64"]}, "Metadata": {"twinstart": {"arm": "rawtcp/zip"}}},
 "I": {"Type": "AWS::Lambda::Function", "Properties": {"PackageType": "Image"}, "Metadata": {"twinstart": {"arm": "rawtcp/image"}}},
 "P": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 256}, "Metadata": {"twinstart": {"helper": true}}},
 "A": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "F"}, "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 2}}},
 "M": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": [{"Expression": "a / b"}, {"MetricStat": {}}, {"MetricStat": {}}]}},
 "S": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}},
 "B": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": {"Fn::Sub": ["{\"widgets\": [{\"properties\": {\"metrics\": [[\"AWS/Lambda\", \"Errors\"], [\".\", \"Throttles\"], [{\"expression\": \"1\"}], []]}}]}", {}]}}},
 "K": {"Type": "AWS::KMS::Key", "Properties": {}},
 "R": {"Type": "AWS::CloudWatch::InsightRule", "Properties": {}},
 "T": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": {}},
 "D": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
 "X": {"Type": "AWS::Logs::MetricFilter", "Properties": {"MetricTransformations": [{"MetricNamespace": "n", "MetricName": "Init", "Dimensions": [{}]}]}},
 "Y": {"Type": "AWS::Logs::MetricFilter", "Properties": {"MetricTransformations": [{"MetricNamespace": "n", "MetricName": "Count"}]}},
 "Z": {"Type": "AWS::Logs::MetricFilter", "Properties": {"MetricTransformations": [{"MetricNamespace": "n", "MetricName": "Count"}]}}
}}`

func TestMonthly(t *testing.T) {
	read, err := Read([]byte(template))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Line{
		"alarms":                                {Count: 2, USD: 0.30},
		"dashboards":                            {Count: 1},
		"KMS key":                               {Count: 1, USD: 1},
		"Contributor Insights rule":             {Count: 1, USD: 0.50},
		"provisioned environments":              {Count: 2, USD: 2 * 2628000 * 0.0000033334}, // 1 GB each
		"target tracking":                       {Count: 1, USD: 0.20},
		"AWS::DynamoDB::Table":                  {Count: 1},
		"metric filters":                        {Count: 3},
		"ZIP files in S3":                       {Count: 2, USD: 0.000023},
		"images in ECR":                         {Count: 1, USD: 0.0041},
		"functions, roles, log groups, queries": {Count: 3},
	}
	sum := 0.0
	lines := read.Monthly(1e6, 1e6)
	for _, l := range lines {
		w, expected := want[l.What]
		if !expected || l.Count != w.Count || math.Abs(l.USD-w.USD) > 1e-9 {
			t.Errorf("%+v, want %+v", l, w)
		}
		sum += w.USD
		delete(want, l.What)
	}
	if len(want) > 0 {
		t.Errorf("no line for %v", want)
	}
	if got := Total(lines); math.Abs(got-sum) > 1e-9 {
		t.Errorf("total %v, want %v", got, sum)
	}
}

// A dashboard of more than 50 metrics is billed. Of the smaller dashboards, the account's first three are free.
func TestDashboards(t *testing.T) {
	board := func(metrics int) string {
		body, _ := json.Marshal(`{"widgets": [{"properties": {"metrics": [` + strings.TrimSuffix(strings.Repeat(`["AWS/Lambda", "Errors"],`, metrics), ",") + `]}}]}`)
		return `{"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": ` + string(body) + `}}`
	}
	for _, test := range []struct {
		boards []int
		usd    float64
	}{{[]int{50}, 0}, {[]int{51}, 3}, {[]int{27, 27}, 0}, {[]int{1, 1, 1, 1}, 3}, {[]int{51, 1, 1, 1}, 3}, {[]int{51, 52}, 6}} {
		resources := []string{}
		for i, n := range test.boards {
			resources = append(resources, fmt.Sprintf(`"B%d": %s`, i, board(n)))
		}
		read, err := Read([]byte(`{"Resources": {` + strings.Join(resources, ",") + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := read.boards(); got.USD != test.usd || got.Count != len(test.boards) {
			t.Errorf("dashboards of %v metrics: %+v, want %v USD", test.boards, got, test.usd)
		}
	}
}

func TestRun(t *testing.T) {
	read, err := Read([]byte(template))
	if err != nil {
		t.Fatal(err)
	}
	lines := read.Run(measure.Options{Cold: 60, Warm: 100}, All)
	if n := lines[0].Count; n != 2*(60+10+100) {
		t.Errorf("%d invocations", n)
	}
	if l := lines[1]; l.Count != 2 || math.Abs(l.USD-2*0.30/730) > 1e-12 {
		t.Errorf("custom metrics: %+v, want 2 of them for an hour", l)
	}
	if total := Total(lines); !(total > 0 && total < 0.01) {
		t.Errorf("a run of two functions costs %v", total)
	}
}

func TestReadMistake(t *testing.T) {
	if _, err := Read([]byte("{")); err == nil {
		t.Error("no error for half a template")
	}
}

// Each first restore needs a version of its own. As many warmed restores share a version as may be called at once.
// Snapshots of the template's own versions are billed by the month, but those of Java's managed runtimes are free.
func TestSnapStart(t *testing.T) {
	const functions = `{"Resources": {
 "F": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 1024, "Architectures": ["arm64"], "PackageType": "Image", "SnapStart": {"ApplyOn": "PublishedVersions"}}, "Metadata": {"twinstart": {"arm": "a/image"}}},
 "J": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 1024, "Architectures": ["arm64"], "Runtime": "java21", "SnapStart": {"ApplyOn": "PublishedVersions"}}, "Metadata": {"twinstart": {"arm": "a/image"}}},
 "O": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 1024, "Architectures": ["arm64"]}, "Metadata": {"twinstart": {"arm": "a/image"}}},
 "V": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "F"}}},
 "W": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "J"}}},
 "X": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "O"}}}
}}`
	read, err := Read([]byte(functions))
	if err != nil {
		t.Fatal(err)
	}
	const cached, restored, gbSecond, request = 0.0000015046, 0.0001397998, 0.0000133334, 0.0000002
	call := 0.1*gbSecond + request // both functions pay for the invocation
	found := 0
	for _, l := range read.Run(measure.Options{Cold: 60, Warm: 0, Burst: 25}, All) {
		var want float64
		var versions, minutes int
		switch l.What {
		case "first restores":
			want, versions, minutes = 60*10800*cached+60*restored+120*call, 120, 22
		case "warmed restores":
			want, versions, minutes = 3*10800*cached+60*restored+120*call, 6, 2
		default:
			continue
		}
		found++
		note := fmt.Sprintf("%d versions, published and deleted: %d control-plane calls, about %d min a function; ", versions, 3*versions, minutes)
		if l.Count != 120 || math.Abs(l.USD-want) > 1e-9 || !strings.HasPrefix(l.Note, note) {
			t.Errorf("%+v, want %.6f USD, %s", l, want, note)
		}
	}
	for _, l := range read.Monthly(0, 0) {
		if l.What == "snapshots of versions" {
			if found++; l.Count != 1 || math.Abs(l.USD-secondsMonth*cached) > 1e-9 {
				t.Errorf("want one snapshot for a month: %+v", l)
			}
		}
	}
	if found != 3 || read.SnapStart() != 2 {
		t.Errorf("%d lines, %d functions", found, read.SnapStart())
	}
}

// A run measures each arm of a function with the arm's memory size. Provisioned environments are billed for at least
// five minutes.
func TestRunOfVariants(t *testing.T) {
	template, err := Read([]byte(`{"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 1024, "Architectures": ["arm64"]}, "Metadata": {"twinstart": {"arm": "a/zip",
		"variants": [{"lever": "twin"}, {"lever": "memory", "level": "2048", "set": {"memorySizeMB": 2048}}, {"lever": "provisioned", "level": "1", "set": {"provisioned": 1}}]}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	arms, provisioned := template.Arms()
	if !slices.Equal(arms, []int{4}) || provisioned != 1 {
		t.Errorf("%v, %d", arms, provisioned)
	}
	lines := template.Run(measure.Options{Cold: 20, Warm: 100}, All)
	if one := lines[0]; one.Count != 1 || math.Abs(one.USD-30*300*0.0000033334) > 1e-4 {
		t.Errorf("want provisioned environments for 30 times 300 s: %+v", one)
	}
	if calls := lines[1]; calls.Count != 4*(20+10+100) {
		t.Errorf("want the calls of 4 arms: %+v", calls)
	}
	if whole := measure.EstimateArms(arms, 0, provisioned, measure.Options{Cold: 20, Warm: 100, Parallel: 8}); whole < time.Hour {
		t.Errorf("EstimateArms says %v for 30 provisioned environments, want an hour or more", whole)
	}
}
