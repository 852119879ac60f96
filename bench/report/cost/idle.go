// Package cost computes what a stack costs, from its template: each month while nothing runs, and for each run.
//
// Figures are in USD, at list prices of us-east-1 as of 2026-11-21. Of the free tiers only the one for dashboards
// counts, because it does not expire. A resource type whose price is unknown is named, never taken as free.
package cost

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure"
)

// Line is one item of a bill.
type Line struct {
	What  string  `json:"what"`
	Count int     `json:"count"`
	USD   float64 `json:"usd"`
	Note  string  `json:"note,omitempty"`
}

// Total is the sum of lines, in USD.
func Total(lines []Line) float64 {
	sum := 0.0
	for _, l := range lines {
		sum += l.USD
	}
	return sum
}

// Prices in USD.
const (
	alarmMetric   = 0.10          // a month, for each metric that an alarm reads; aws.amazon.com/cloudwatch/pricing
	customMetric  = 0.30          // a month, prorated by the hours in which it gets data
	insightRule   = 0.50          // a month
	logsGB        = 0.50          // ingested
	s3GB          = 0.023         // a month
	ecrGB         = 0.10          // a month
	kmsKey        = 1.00          // a month
	hoursPerMonth = 730           //
	secondsMonth  = 3600 * 730    //
	baseImageGB   = 0.04          // provided:al2023, compressed; stored once, because images share layers
	logPerCall    = 700.0 / (1e9) // GB of platform.start and platform.report
	freeBoards    = 3             // small dashboards that an account has for nothing
	smallBoard    = 50            // metrics; a dashboard with more always costs
	dashboard     = 3.00          // a month
	firstHour     = 1.0           // hours of a run: custom metrics are billed by the hour
	coldBilledMs  = 100.0         // a guess for an arm that was never measured: INIT and first invocation
	warmBilledMs  = 5.0           // a guess, likewise
	primings      = 10            // cold starts of a run that only prepare environments for warm samples
)

// priced holds resource types with a price a month for each resource.
var priced = map[string]Line{
	"AWS::CloudWatch::InsightRule": {What: "Contributor Insights rule", USD: insightRule,
		Note: "and 0.02 for each million log events that match"},
	"AWS::KMS::Key": {What: "KMS key", USD: kmsKey,
		Note: "and 0.03 for each 10,000 requests"},
	"AWS::ApplicationAutoScaling::ScalableTarget": {What: "target tracking", USD: 2 * alarmMetric,
		Note: "each makes two alarms"},
}

// free lists the resource types that cost nothing while they are idle.
var free = []string{
	"AWS::Lambda::Function", "AWS::Lambda::Url", "AWS::Lambda::Permission", "AWS::IAM::Role", "AWS::IAM::Policy",
	"AWS::IAM::ManagedPolicy", "AWS::Logs::LogGroup", "AWS::Logs::MetricFilter", "AWS::Logs::Transformer",
	"AWS::Logs::QueryDefinition", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "AWS::EC2::VPC", "AWS::EC2::Subnet",
	"AWS::EC2::RouteTable", "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::SecurityGroup", "AWS::Events::Rule",
	"AWS::StepFunctions::StateMachine", "AWS::ApplicationAutoScaling::ScalingPolicy",
}

// Template is the part of a synthesized template that determines costs.
type Template struct {
	Resources map[string]struct {
		Type       string
		Properties json.RawMessage
		Metadata   map[string]json.RawMessage
	}
}

// Read reads a template.
func Read(text []byte) (*Template, error) {
	var t Template
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, fmt.Errorf("reading the template: %w", err)
	}
	return &t, nil
}

// Counts returns the number of resources of each type.
func (t *Template) Counts() map[string]int {
	counts := map[string]int{}
	for _, r := range t.Resources {
		counts[r.Type]++
	}
	return counts
}

// Monthly returns the stack's cost for a month in which nothing runs. zipBytes and imageBytes are the sizes of its
// deployment packages.
func (t *Template) Monthly(zipBytes, imageBytes int64) []Line {
	var lines []Line
	counts := t.Counts()
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		n := counts[kind]
		line := Line{kind, n, 0, "price not known here: look it up"}
		switch {
		case kind == "AWS::CloudWatch::Alarm":
			read := t.alarmMetrics()
			line = Line{"alarms", n, float64(read) * alarmMetric, fmt.Sprintf("they read %d metrics, 0.10 each", read)}
		case kind == "AWS::CloudWatch::Dashboard":
			line = t.boards()
		case kind == "AWS::Lambda::Alias":
			line = Line{What: "provisioned environments", Note: "by the second, used or not; the least of a range"}
			line.Count, line.USD = t.provisioned("", secondsMonth)
		case kind == "AWS::Lambda::Version":
			line = Line{What: "snapshots of versions",
				Note: "by the second, used or not, until the version is deleted (quoted price)"}
			line.Count, line.USD = t.cached()
		case kind == "AWS::EC2::VPCEndpoint":
			for _, p := range of[struct{ VpcEndpointType string }](t, kind) {
				if p.VpcEndpointType == "Gateway" { // it is free
					line.Count--
				}
			}
		case priced[kind].What != "":
			line = priced[kind]
			line.Count, line.USD = n, line.USD*float64(n)
		case slices.Contains(free, kind):
			line.Count = 0
		}
		if line.Count > 0 {
			lines = append(lines, line)
		}
	}
	filters, series := t.metricSeries()
	lines = append(lines, Line{"metric filters", filters, 0,
		fmt.Sprintf("%d custom metrics, billed only for hours in which a function runs", series)})
	if zipBytes > 0 {
		zips := t.functions(func(f function) bool { return f.packageType == "Zip" })
		lines = append(lines, Line{"ZIP files in S3", zips, float64(zipBytes) / 1e9 * s3GB,
			fmt.Sprintf("%.1f MB", float64(zipBytes)/1e6)})
	}
	if imageBytes > 0 {
		images := t.functions(func(f function) bool { return f.packageType == "Image" })
		lines = append(lines, Line{"images in ECR", images, (float64(imageBytes)/1e9 + baseImageGB) * ecrGB,
			fmt.Sprintf("%.1f MB and the base image", float64(imageBytes)/1e6)})
	}
	idle := counts["AWS::Lambda::Function"] + counts["AWS::IAM::Role"] + counts["AWS::Logs::LogGroup"] +
		counts["AWS::Logs::QueryDefinition"]
	return append(lines, Line{"functions, roles, log groups, queries", idle, 0, "free while nothing runs"})
}

// boards prices the dashboards by the number of metrics that each shows.
func (t *Template) boards() Line {
	shown := t.boardMetrics()
	large := len(slices.DeleteFunc(slices.Clone(shown), func(metrics int) bool { return metrics <= smallBoard }))
	paid := large + max(0, len(shown)-large-freeBoards)
	note := "an account's first 3 are free, because none has more than 50 metrics; 3.00 each if it has 3 already"
	if large > 0 {
		note = "3.00 for one of more than 50 metrics"
	}
	return Line{"dashboards", len(shown), float64(paid) * dashboard,
		fmt.Sprintf("of %s metrics: %s", strings.Trim(fmt.Sprint(shown), "[]"), note)}
}

// leastProvisioned is the least time for which provisioned concurrency is billed, in seconds.
const leastProvisioned = 300

// All selects every arm.
func All(string) bool { return true }

// Run estimates the cost of a run before anything is measured. measured selects the arms of the run.
func (t *Template) Run(o measure.Options, measured func(id string) bool) []Line {
	var all tally
	for _, f := range t.lambda() {
		if f.arm {
			f.count(&all, o, func(id arm.Identity) bool { return measured(id.Arm) })
		}
	}
	calls := all.calls
	restores := t.restores(o, measured)
	for _, l := range restores {
		calls += l.Count
	}
	_, series := t.metricSeries()
	if _, arms := t.Arms(); arms > 0 {
		restores = append(restores, Line{"arms of provisioned environments", arms, all.provisionedUSD,
			"at least 5 min are billed for each cold start; each may take 2 min to wait for (not measured)"})
	}
	return append(restores, []Line{
		{"invocations", calls, all.usd, fmt.Sprintf("if a cold start is billed %.0f ms and a warm invocation %.0f ms",
			coldBilledMs, warmBilledMs)},
		{"custom metrics", series, float64(series) * customMetric / hoursPerMonth * firstHour, "for each hour of the run"},
		{"log events", 2 * calls, float64(calls) * logPerCall * logsGB, "700 bytes for each invocation"},
	}...)
}
