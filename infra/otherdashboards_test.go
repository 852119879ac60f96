package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/dashboard"
)

// Functions of another application, which have neither bootstrap nor package, can be shown too.
func TestDashboardOfOtherFunctions(t *testing.T) {
	stack, builder := someStack(t)
	f := bashfunction.NewBashFunction(stack, jsii.String("Hello"), &bashfunction.BashFunctionProps{Entry: jsii.String("handlers/hello"), Builder: builder})
	dashboard.NewDashboard(stack, jsii.String("Dashboard"), &dashboard.DashboardProps{
		Experiment: "shop",
		Arms:       []dashboard.Arm{{Function: f, LogGroup: f.LogGroup(), Identity: arm.Identity{Arm: "hello"}}},
	})
	template := templateOf(t, stack)
	texts, _ := dashboardBodies(t, template)
	if !strings.Contains(texts[0], `"label":"hello"`) {
		t.Error("hello is not shown")
	}
	config := fmt.Sprint(only(t, stack, transformerType)["TransformerConfig"])
	if !strings.Contains(config, "Key:arm Value:hello") || !strings.Contains(config, "Key:package Value:-") {
		t.Errorf("the transformer's configuration is %s", config)
	}
}

// Functions that differ only in name, or whose names differ only in a slash, are told apart. The price is that of their
// architecture. Functions of two architectures have no common price, so no query shows their costs.
func TestDashboardOfAnyFunctions(t *testing.T) {
	stack, builder := someStack(t)
	of := func(id string, a awslambda.Architecture) dashboard.Arm {
		f := bashfunction.NewBashFunction(stack, &id, &bashfunction.BashFunctionProps{Entry: jsii.String("handlers/hello"), Builder: builder,
			FunctionOptions: awslambda.FunctionOptions{Architecture: a}})
		return dashboard.Arm{Function: f, LogGroup: f.LogGroup(), Identity: arm.Identity{Arm: id, Bootstrap: "rawsyscall", Package: arm.ZIP, MemorySizeMB: 256}}
	}
	x86, arm64 := awslambda.Architecture_X86_64(), awslambda.Architecture_ARM_64()
	dashed, other := of("a-b", x86), of("c", arm64)
	slashed := of("d", x86)
	slashed.Identity.Arm = "a/b"
	dashboard.NewDashboard(stack, jsii.String("Same"), &dashboard.DashboardProps{Experiment: "same", Arms: []dashboard.Arm{dashed, slashed}})
	dashboard.NewDashboard(stack, jsii.String("Mixed"), &dashboard.DashboardProps{Experiment: "mixed", Arms: []dashboard.Arm{dashed, other}})
	costs := map[string]bool{}
	for _, q := range templateOf(t, stack).ofType(queryType) {
		name, text := q.Properties["Name"].(string), q.Properties["QueryString"].(string)
		if strings.Contains(text, "0.0000166667") && strings.Contains(text, "costUSD") {
			costs[name] = true
		} else if strings.Contains(text, "costUSD") {
			t.Errorf("%s is not at the price of x86_64: %s", name, text)
		}
	}
	if want := map[string]bool{"Twinstart/same/estimated cost by arm, in USD": true}; !maps.Equal(costs, want) {
		t.Errorf("costs %v, want %v", costs, want)
	}
}

// CloudWatch Logs takes five calls a second from CloudFormation, so at most three resources of each kind may begin at
// the same time. A metric filter takes three calls, a transformer two.
func TestFewLogsResourcesBeginAtOnce(t *testing.T) {
	for _, context := range []map[string]any{nil, {"observe": "dashboard,metrics,alarms,queries"}} {
		template, _ := synth(t, context, nil)
		for kind, calls := range map[string]int{metricFilterType: 3, transformerType: 2, logGroupType: 2} {
			all, free, most := 0, 0, map[string]int{}
			for _, r := range template.Resources {
				if r.Type != kind {
					continue
				}
				all++
				waits := false
				for _, on := range r.DependsOn {
					if template.Resources[on].Type == kind {
						waits = true
						most[on]++
					}
				}
				if !waits {
					free++
				}
			}
			for on, n := range most {
				if n > 1 {
					t.Errorf("%d resources wait for %s, want one", n, on)
				}
			}
			if free > 3 {
				t.Errorf("%d of %d resources of %s may be created at once, want 3 at most", free, all, kind)
			}
			t.Logf("%v: %d of %s: %d calls, %.0f s at 5 a second", context, all, kind, all*calls, float64(all*calls)/5)
		}
	}
}

// If all arms share one log group, there is one of each resource for it, and figures are by function. A part that
// needs a log group for each arm is refused.
func TestOneLogGroup(t *testing.T) {
	context := map[string]any{"arms": "rawtcp,nethttp", "logs": "experiment", "observe": "dashboard,alarms,queries,contributors"}
	template, stack := synth(t, context, nil)
	got := map[string]int{}
	for _, r := range template.Resources {
		got[r.Type]++
	}
	for kind, want := range map[string]int{functionType: 6, logGroupType: 1, metricFilterType: 3, transformerType: 1, queryType: 3, alarmType: 3, insightRuleType: 1, dashboardType: 1} {
		if got[kind] != want {
			t.Errorf("%d of %s, want %d", got[kind], kind, want)
		}
	}
	texts, _ := dashboardBodies(t, template)
	for id, f := range template.Resources {
		if f.Type != functionType {
			continue
		}
		if logs, ok := f.Properties["LoggingConfig"].(map[string]any)["LogGroup"].(map[string]any); !ok || template.Resources[fmt.Sprint(logs["Ref"])].Type != logGroupType {
			t.Errorf("LoggingConfig %v", f.Properties["LoggingConfig"])
		}
		if arm := f.Metadata.Twinstart.Arm; !strings.Contains(texts[0], "* "+arm+" is the function "+id) {
			t.Errorf("the dashboard does not say that %s is %s", id, arm)
		}
	}
	if n := strings.Count(texts[0], "SOURCE '"); n != 9 || strings.Contains(texts[0], "as costUSD by arm") {
		t.Errorf("%d sources of 9 queries: %s", n, texts[0])
	}
	for _, q := range template.ofType(queryType) {
		text, groups := q.Properties["QueryString"].(string), q.Properties["LogGroupNames"].([]any)
		if byFunction := strings.Contains(text, "parse @logStream ") && strings.Contains(text, "by functionName"); len(groups) != 1 || !byFunction && !strings.Contains(text, "by @logStream") {
			t.Errorf("query of %v: %s", groups, text)
		}
	}
	if keys := only(t, stack, transformerType)["TransformerConfig"]; strings.Contains(fmt.Sprint(keys), "AddKeys") {
		t.Errorf("the transformer names an arm: %v", keys)
	}
	const want = "-c logs=experiment and -c observe=metrics: metrics by arm are made of events"
	if _, err := define(t.Context(), newApp(t, "", merge(context, map[string]any{"observe": "metrics"})), fakePackages{dir: project(t)}); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// The rule ranks by the keys that the transformer adds.
func TestContributorInsights(t *testing.T) {
	_, stack := synth(t, map[string]any{"arms": "rawtcp/zip", "observe": "metrics,contributors"}, nil)
	rule := only(t, stack, insightRuleType)
	sub := rule["RuleBody"].(map[string]any)["Fn::Sub"].([]any)
	var body struct {
		LogGroupNames []string
		Contribution  struct{ Keys []string }
	}
	if err := json.Unmarshal([]byte(sub[0].(string)), &body); err != nil {
		t.Fatal(err)
	}
	if rule["ApplyOnTransformedLogs"] != true || !slices.Equal(body.Contribution.Keys, []string{"$.arm", "$.logStream"}) || len(body.LogGroupNames) != 1 {
		t.Errorf("rule %v", rule)
	}
}
