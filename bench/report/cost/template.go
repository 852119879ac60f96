package cost

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/report/price"
)

// function holds the properties that an AWS::Lambda::Function is billed by.
type function struct {
	arm          bool // a run measures it; false for the state machine's own function
	memoryMB     int
	architecture arm.Architecture
	packageType  string
	snapStart    bool
	ids          []arm.Identity // its arms, one at least
	arms         []arm.Override // what each of them changes
	rate         price.Rate     // without SnapStart's for Java's managed runtimes, which are free of it
}

// of yields the resources of a type by id, with the properties that P names. It skips resources that it cannot read,
// such as one whose memory size is a parameter.
func of[P any](t *Template, kind string) iter.Seq2[string, P] {
	return func(yield func(string, P) bool) {
		for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
			var p P
			if r := t.Resources[id]; r.Type == kind && json.Unmarshal(r.Properties, &p) == nil && !yield(id, p) {
				return
			}
		}
	}
}

func (t *Template) lambda() map[string]function {
	found, prices := map[string]function{}, price.Default()
	for id, p := range of[struct {
		MemorySize    int
		Architectures []arm.Architecture
		PackageType   string
		Runtime       string
		SnapStart     struct{ ApplyOn string }
	}](t, "AWS::Lambda::Function") {
		f := function{
			arm: t.Resources[id].Metadata[arm.MetadataKey] != nil, memoryMB: cmp.Or(p.MemorySize, defaultMemory),
			architecture: append(p.Architectures, arm.X8664)[0], packageType: cmp.Or(p.PackageType, "Zip"),
			snapStart: p.SnapStart.ApplyOn == "PublishedVersions",
		}
		f.rate, _ = prices.Rate(price.DefaultRegion, f.architecture)
		if strings.HasPrefix(p.Runtime, "java") {
			f.rate.SnapStartCache, f.rate.SnapStartRestore = 0, 0
		}
		var identity arm.Identity
		_ = json.Unmarshal(t.Resources[id].Metadata[arm.MetadataKey], &identity) // or it has one arm
		f.ids, f.arms = identity.Arms()
		found[id] = f
	}
	return found
}

// functions counts the functions that have a property.
func (t *Template) functions(is func(function) bool) (n int) {
	for _, f := range t.lambda() {
		if is(f) {
			n++
		}
	}
	return n
}

// Arms counts the arms of each function, those for a load apart, and how many of all are of provisioned environments.
func (t *Template) Arms() (arms []int, provisioned int) {
	for _, f := range t.lambda() {
		n := len(f.arms)
		for i, set := range f.arms {
			if arm.LoadOnly(f.ids[i], set) != "" {
				n--
			} else {
				provisioned += min(1, set.Provisioned)
			}
		}
		arms = append(arms, n)
	}
	return arms, provisioned
}

// SnapStart counts the functions whose cold starts are restores.
func (t *Template) SnapStart() int { return t.functions(func(f function) bool { return f.snapStart }) }

// cached is what the snapshots of the template's own versions cost a month.
func (t *Template) cached() (versions int, usd float64) {
	functions := t.lambda()
	for _, p := range of[struct{ FunctionName struct{ Ref string } }](t, "AWS::Lambda::Version") {
		if f := functions[p.FunctionName.Ref]; f.snapStart && f.rate.SnapStartCache > 0 {
			versions++
			usd += f.rate.Cached(f.memoryMB, secondsMonth)
		}
	}
	return versions, usd
}

// restores is what a run's restores take of each function with SnapStart.
func (t *Template) restores(o measure.Options, measured func(id string) bool) (lines []Line) {
	for _, s := range o.Snapshots() {
		line, versions, cached := Line{What: s.What}, 0, 0.0
		for _, f := range t.lambda() {
			if !f.arm || !f.snapStart || !measured(f.ids[0].Arm) {
				continue
			}
			versions, line.Count = versions+s.Versions, line.Count+s.Restores
			cached += float64(s.Versions) * f.rate.Cached(f.memoryMB, price.MinCache)
			line.USD += float64(s.Restores) * f.rate.Restored(f.memoryMB, coldBilledMs, 0)
		}
		line.USD += cached
		line.Note = fmt.Sprintf("%d versions, published and deleted: %d control-plane calls, about %.0f min a function; %.4f of it is caching, 3 h at the least", versions, versions*s.Calls, math.Ceil(s.Takes.Minutes()), cached)
		if line.Count > 0 {
			lines = append(lines, line)
		}
	}
	return lines
}

// alias holds what an AWS::Lambda::Alias keeps ready.
type alias struct {
	FunctionName                 struct{ Ref string }
	ProvisionedConcurrencyConfig struct{ ProvisionedConcurrentExecutions int }
}

// provisioned returns the number of environments that aliases keep, of one function or of all (""), and their cost for
// so many seconds.
func (t *Template) provisioned(function string, seconds float64) (environments int, usd float64) {
	functions := t.lambda()
	for _, p := range of[alias](t, "AWS::Lambda::Alias") {
		n, f := p.ProvisionedConcurrencyConfig.ProvisionedConcurrentExecutions, functions[p.FunctionName.Ref]
		if function != "" && function != p.FunctionName.Ref {
			continue
		}
		environments += n
		usd += float64(n*f.memoryMB) / 1024 * seconds * f.rate.Provisioned
	}
	return environments, usd
}

// Concurrency returns how many of the account's concurrent executions the functions take for themselves at the most:
// reserved ones, or provisioned ones if none are reserved, those that a run provisions for one arm after the other too.
func (t *Template) Concurrency() (n int) {
	own := map[string]int{}
	for id, f := range t.lambda() {
		for _, set := range f.arms {
			own[id] = max(own[id], set.Provisioned)
		}
	}
	for id, p := range of[struct{ ReservedConcurrentExecutions int }](t, "AWS::Lambda::Function") {
		own[id] = max(own[id], p.ReservedConcurrentExecutions)
	}
	for id, p := range of[alias](t, "AWS::Lambda::Alias") {
		own[p.FunctionName.Ref] = max(own[p.FunctionName.Ref], p.ProvisionedConcurrencyConfig.ProvisionedConcurrentExecutions)
		for _, target := range of[struct {
			MaxCapacity int
			ResourceId  json.RawMessage
		}](t, "AWS::ApplicationAutoScaling::ScalableTarget") {
			if bytes.Contains(target.ResourceId, []byte(`"`+id+`"`)) { // in a Ref
				own[p.FunctionName.Ref] = max(own[p.FunctionName.Ref], target.MaxCapacity)
			}
		}
	}
	for _, executions := range own {
		n += executions
	}
	return n
}

// alarmMetrics counts the metrics that alarms read: one each, or those of a metric math expression.
func (t *Template) alarmMetrics() int {
	n := 0
	for _, p := range of[struct {
		Metrics []struct{ MetricStat json.RawMessage }
	}](t, "AWS::CloudWatch::Alarm") {
		if len(p.Metrics) == 0 {
			n++
		}
		for _, m := range p.Metrics {
			if m.MetricStat != nil {
				n++
			}
		}
	}
	return n
}

// boardMetrics counts the metrics that each dashboard shows. A dashboard whose body cannot be read has 0.
func (t *Template) boardMetrics() []int {
	shown := []int{}
	for _, raw := range of[json.RawMessage](t, "AWS::CloudWatch::Dashboard") {
		var p struct{ DashboardBody json.RawMessage }
		var body struct {
			Widgets []struct {
				Properties struct{ Metrics [][]any }
			}
		}
		n := 0
		if json.Unmarshal(raw, &p) == nil && json.Unmarshal([]byte(substituted(p.DashboardBody)), &body) == nil {
			for _, w := range body.Widgets {
				for _, m := range w.Properties.Metrics {
					if len(m) == 0 {
						continue
					}
					if _, named := m[0].(string); named { // others are expressions over metrics
						n++
					}
				}
			}
		}
		shown = append(shown, n)
	}
	return shown
}

// substituted returns a text, or the text in Fn::Sub.
func substituted(value json.RawMessage) (text string) {
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	var sub struct {
		Fn json.RawMessage `json:"Fn::Sub"`
	}
	if json.Unmarshal(value, &sub) != nil || json.Unmarshal(sub.Fn, &text) == nil {
		return text
	}
	var pair []json.RawMessage
	if json.Unmarshal(sub.Fn, &pair) == nil && len(pair) > 0 {
		_ = json.Unmarshal(pair[0], &text) // without text there is nothing to read
	}
	return text
}

// metricSeries counts metric filters and the metrics that they make: one for each filter with dimensions, because a
// log group belongs to one arm, and one for each name without dimensions.
func (t *Template) metricSeries() (filters, series int) {
	shared := map[string]bool{}
	for _, p := range of[struct {
		MetricTransformations []struct {
			MetricNamespace, MetricName string
			Dimensions                  []json.RawMessage
		}
	}](t, "AWS::Logs::MetricFilter") {
		for _, m := range p.MetricTransformations {
			if len(m.Dimensions) > 0 {
				series++
			} else {
				shared[m.MetricNamespace+"/"+m.MetricName] = true
			}
		}
	}
	return t.Counts()["AWS::Logs::MetricFilter"], series + len(shared)
}
