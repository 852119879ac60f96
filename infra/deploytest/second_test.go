//go:build deploy

package deploytest

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// Resources that MiniStack's CloudFormation refuses are created in a second emulator, moto, by the calls that
// CloudFormation would make, with the template's properties. Then they are compared as moto describes them. Neither
// emulator knows saved queries and transformers. These calls, like all calls here, are checked against AWS's own
// model.

// call is one call of second.py.
type call struct {
	Service    string         `json:"service"`
	Operation  string         `json:"operation"`
	Parameters map[string]any `json:"parameters"`
	Read       *read          `json:"read,omitempty"`

	id   string
	list string         // the field of the answer that lists the created resource and no other
	want map[string]any // its properties
}

type read struct {
	Operation  string         `json:"operation"`
	Parameters map[string]any `json:"parameters"`
}

// callOf returns the call that creates a resource.
func (d deployed) callOf(t *testing.T, id string, left map[string]resource) call {
	t.Helper()
	p := d.resolve(left[id].Properties).(map[string]any)
	c := call{id: id, Parameters: p, want: p}
	switch kind := left[id].Type; kind {
	case "AWS::CloudWatch::Alarm":
		p["AlarmName"] = id
		c.Service, c.Operation, c.list = "cloudwatch", "put_metric_alarm", "MetricAlarms"
		c.Read = &read{"describe_alarms", map[string]any{"AlarmNames": []string{id}}}
	case "AWS::CloudWatch::InsightRule":
		c.Service, c.Operation, c.list = "cloudwatch", "put_insight_rule", "InsightRules"
		c.Read = &read{"describe_insight_rules", map[string]any{}}
		c.Parameters = map[string]any{"RuleName": p["RuleName"], "RuleState": p["RuleState"], "RuleDefinition": p["RuleBody"], "ApplyOnTransformedLogs": p["ApplyOnTransformedLogs"]}
		c.want = map[string]any{"Name": p["RuleName"], "State": p["RuleState"], "Definition": p["RuleBody"]}
	case "AWS::ApplicationAutoScaling::ScalableTarget":
		c.Service, c.Operation, c.list = "application-autoscaling", "register_scalable_target", "ScalableTargets"
		c.Read = &read{"describe_scalable_targets", map[string]any{"ServiceNamespace": p["ServiceNamespace"], "ResourceIds": []any{p["ResourceId"]}}}
	case "AWS::ApplicationAutoScaling::ScalingPolicy":
		target := d.resolve(left[p["ScalingTargetId"].(map[string]any)["Ref"].(string)].Properties).(map[string]any)
		delete(p, "ScalingTargetId")
		for _, name := range []string{"ServiceNamespace", "ResourceId", "ScalableDimension"} {
			p[name] = target[name]
		}
		c.Service, c.Operation, c.list = "application-autoscaling", "put_scaling_policy", "ScalingPolicies"
		c.Read = &read{"describe_scaling_policies", map[string]any{"ServiceNamespace": p["ServiceNamespace"], "ResourceId": p["ResourceId"]}}
	case "AWS::Logs::QueryDefinition":
		c.Service, c.Operation, c.Parameters = "logs", "put_query_definition", lowerFirst(p).(map[string]any)
	case "AWS::Logs::Transformer":
		c.Service, c.Operation, c.Parameters = "logs", "put_transformer", lowerFirst(p).(map[string]any)
	default:
		t.Errorf("%s: no call creates %s: add one", id, kind)
	}
	return c
}

// lowerFirst writes names as the API of CloudWatch Logs does.
func lowerFirst(value any) any {
	switch value := value.(type) {
	case map[string]any:
		lowered := map[string]any{}
		for name, item := range value {
			first, size := utf8.DecodeRuneInString(name)
			lowered[string(unicode.ToLower(first))+name[size:]] = lowerFirst(item)
		}
		return lowered
	case []any:
		lowered := make([]any, len(value))
		for i := range value {
			lowered[i] = lowerFirst(value[i])
		}
		return lowered
	}
	return value
}

// createElsewhere creates the resources that were left out of the template, targets before policies.
func (d deployed) createElsewhere(t *testing.T, left map[string]resource) {
	t.Helper()
	var calls []call
	for _, policies := range []bool{false, true} {
		for id, r := range left {
			if strings.HasSuffix(r.Type, "::ScalingPolicy") == policies {
				calls = append(calls, d.callOf(t, id, left))
			}
		}
	}
	cmd := exec.Command(filepath.Join(tools, "python"), "second.py")
	var stderr bytes.Buffer
	cmd.Env = append(plainEnvironment(t.TempDir()), "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(must(json.Marshal(calls))(t)), &stderr
	out, err := cmd.Output()
	var answers []map[string]any
	if err != nil || json.Unmarshal(out, &answers) != nil || len(answers) != len(calls) {
		t.Fatalf("second.py: %v: %s%s", err, out, stderr.String())
	}
	t.Logf("%4.1f s of CPU  %d resources created in moto, or checked against AWS's model of the call", (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), len(calls))
	for i, c := range calls {
		if answers[i]["error"] != nil {
			t.Errorf("%s: %s", c.id, answers[i]["error"])
			continue
		}
		if c.Read == nil {
			continue
		}
		list, _ := answers[i][c.list].([]any)
		if len(list) != 1 {
			t.Errorf("%s: %d %s, want one", c.id, len(list), c.list)
			continue
		}
		if diff := cmp.Diff(any(c.want), asked(list[0], c.want)); diff != "" {
			t.Errorf("%s (-template +moto):\n%s", c.id, diff)
		}
	}
}
