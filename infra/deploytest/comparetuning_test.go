//go:build deploy

package deploytest

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// Readers of the resources of a power tuning, except functions.

// readStateMachine compares the definition as JSON, after the template's substitutions.
func readStateMachine(t *testing.T, cfg aws.Config, physical string, want map[string]any) map[string]any {
	t.Helper()
	got := must(sfn.NewFromConfig(cfg).DescribeStateMachine(context.Background(), &sfn.DescribeStateMachineInput{StateMachineArn: &physical}))(t)
	properties := plain(t, got)
	definition := want["DefinitionString"].(string)
	for name, value := range want["DefinitionSubstitutions"].(map[string]any) {
		definition = strings.ReplaceAll(definition, "${"+name+"}", value.(string))
	}
	delete(want, "DefinitionSubstitutions")
	want["DefinitionString"] = decode(t, definition)
	properties["DefinitionString"] = decode(t, aws.ToString(got.Definition))
	properties["StateMachineType"] = string(got.Type)
	return properties
}

// readRule speaks EventBridge's JSON protocol: one call for the rule and one for its targets.
func readRule(t *testing.T, cfg aws.Config, physical string, _ map[string]any) map[string]any {
	t.Helper()
	name := physical[strings.LastIndexByte(physical, '/')+1:]
	var rule, targets map[string]any
	post(t, cfg, "AWSEvents.DescribeRule", map[string]any{"Name": name}, &rule)
	post(t, cfg, "AWSEvents.ListTargetsByRule", map[string]any{"Rule": name}, &targets)
	rule["EventPattern"] = decode(t, rule["EventPattern"].(string))
	rule["Targets"] = targets["Targets"]
	return rule
}

// readPermission finds the statement by its principal, because CloudFormation chooses the statement's ID.
func readPermission(t *testing.T, cfg aws.Config, _ string, want map[string]any) map[string]any {
	t.Helper()
	function := want["FunctionName"].(string)
	got := must(lambda.NewFromConfig(cfg).GetPolicy(context.Background(), &lambda.GetPolicyInput{FunctionName: &function}))(t)
	var policy struct {
		Statement []struct {
			Action, Resource string
			Principal        struct{ Service string }
			Condition        struct {
				ArnLike map[string]string
			}
		}
	}
	if err := json.Unmarshal([]byte(aws.ToString(got.Policy)), &policy); err != nil || len(policy.Statement) != 1 {
		t.Errorf("%v: want one statement: %s", err, aws.ToString(got.Policy))
		return map[string]any{}
	}
	s := policy.Statement[0]
	return map[string]any{"Action": s.Action, "FunctionName": s.Resource, "Principal": s.Principal.Service, "SourceArn": s.Condition.ArnLike["AWS:SourceArn"]}
}

func readManagedPolicy(t *testing.T, cfg aws.Config, physical string, want map[string]any) map[string]any {
	t.Helper()
	ctx, client := context.Background(), iam.NewFromConfig(cfg)
	policy := must(client.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &physical}))(t).Policy
	version := must(client.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &physical, VersionId: policy.DefaultVersionId}))(t)
	var roles []any
	for _, role := range want["Roles"].([]any) {
		name := role.(string)
		attached := must(client.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &name}))(t).AttachedPolicies
		for i := range attached {
			if aws.ToString(attached[i].PolicyArn) == physical {
				roles = append(roles, name)
			}
		}
	}
	return map[string]any{"Description": aws.ToString(policy.Description), "Path": aws.ToString(policy.Path),
		"PolicyDocument": document(t, version.PolicyVersion.Document), "Roles": roles}
}

func decode(t *testing.T, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Errorf("%v: %s", err, text)
	}
	return value
}
