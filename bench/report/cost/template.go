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
	ids          []arm.Identity // its arms, at least one
	arms         []arm.Override // what each of them changes
	rate         price.Rate     // without prices of SnapStart for Java's managed runtimes, which do not pay it
}

// of yields the resources of a type by id, with the properties that P names. It skips resources that it cannot read:
// their memory size may be a parameter, for example.
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

// lambda returns the template's functions by their logical ids.
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
			memoryMB: cmp.Or(p.MemorySize, arm.DefaultMemorySizeMB), packageType: cmp.Or(p.PackageType, "Zip"),
			architecture: append(p.Architectures, arm.X8664)[0], snapStart: p.SnapStart.ApplyOn == "PublishedVersions",
		}
		f.rate, _ = prices.Rate(price.DefaultRegion, f.architecture)
		if strings.HasPrefix(p.Runtime, "java") {
			f.rate.SnapStartCache, f.rate.SnapStartRestore = 0, 0
		}
		var identity arm.Identity
		_ = json.Unmarshal(t.Resources[id].Metadata[arm.MetadataKey], &identity) // without it, it has one arm
		f.ids, f.arms = identity.Arms()
		f.arm = identity.Arm != "" // the state machine's function is marked as a helper
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

// Arms counts the arms of each function, without those for a load; provisioned is how many of them are provisioned.
func (t *Template) Arms() (arms []int, provisioned int) {
	for _, f := range t.lambda() {
		if !f.arm {
			continue
		}
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

// cached counts the versions in the template that have a snapshot, and returns what the snapshots cost a month.
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

// restores returns what the restores of a run cost, for the functions with SnapStart.
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
		line.Note = fmt.Sprintf("%d versions, published and deleted: %d control-plane calls, about %.0f min a function; "+
			"%.4f of it is caching, at least 3 h", versions, versions*measure.CallsVersion, math.Ceil(s.Takes.Minutes()), cached)
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

// provisioned returns how many environments the aliases of a function keep, and their cost for so many seconds. If the
// function is "", it counts those of all functions.
func (t *Template) provisioned(function string, seconds float64) (environments int, usd float64) {
	functions := t.lambda()
	for _, p := range of[alias](t, "AWS::Lambda::Alias") {
		if function == "" || function == p.FunctionName.Ref {
			n, f := p.ProvisionedConcurrencyConfig.ProvisionedConcurrentExecutions, functions[p.FunctionName.Ref]
			environments += n
			usd += float64(n*f.memoryMB) / 1024 * seconds * f.rate.Provisioned
		}
	}
	return environments, usd
}

// Concurrency returns how many of the account's concurrent executions the functions may take for themselves. A function
// takes its reserved executions or its provisioned ones, whichever are more. The environments that a run provisions for
// one arm at a time count as provisioned.
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

// alarmMetrics counts the metrics that alarms read: one each, or all of a metric math expression.
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
		var p struct{ DashboardBody any }
		var body struct {
			Widgets []struct {
				Properties struct{ Metrics [][]any }
			}
		}
		n := 0
		if json.Unmarshal(raw, &p) == nil && json.Unmarshal([]byte(substituted(p.DashboardBody)), &body) == nil {
			for _, w := range body.Widgets {
				for _, m := range w.Properties.Metrics {
					if _, named := append(m, nil)[0].(string); named { // others are expressions over metrics
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
func substituted(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []any: // the text, and what is put into it
		return substituted(append(v, nil)[0])
	case map[string]any:
		return substituted(v["Fn::Sub"])
	}
	return ""
}

// metricSeries counts metric filters, and the metrics that they make: one for each filter with dimensions, because its
// log group belongs to one arm; and one for each name without dimensions.
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
