//go:build deploy

package deploytest

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

// deployed is a stack as CloudFormation describes it: the physical ID of each logical ID.
type deployed struct {
	name     string
	account  string
	template template
	physical map[string]string
}

func readDeployed(t *testing.T, cfg aws.Config, account, stack string, of template) deployed {
	t.Helper()
	d := deployed{stack, account, of, map[string]string{}}
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(cfg), &cloudformation.ListStackResourcesInput{StackName: &stack})
	for pages.HasMorePages() {
		page := must(pages.NextPage(context.Background()))(t)
		for _, r := range page.StackResourceSummaries {
			id := aws.ToString(r.LogicalResourceId)
			if !strings.HasSuffix(string(r.ResourceStatus), "_COMPLETE") {
				t.Errorf("%s is in status %s", id, r.ResourceStatus)
			}
			d.physical[id] = aws.ToString(r.PhysicalResourceId)
		}
	}
	return d
}

// resolve evaluates intrinsic functions as CloudFormation does. It leaves a function that it does not know; then the
// comparison fails.
func (d deployed) resolve(value any) any {
	switch value := value.(type) {
	case []any:
		resolved := make([]any, len(value))
		for i, item := range value {
			resolved[i] = d.resolve(item)
		}
		return resolved
	case map[string]any:
		if len(value) == 1 {
			for name, argument := range value {
				if text, ok := d.call(name, argument); ok {
					return text
				}
			}
		}
		resolved := map[string]any{}
		for name, item := range value {
			resolved[name] = d.resolve(item)
		}
		return resolved
	}
	return value
}

var placeholder = regexp.MustCompile(`\$\{([^}]+)\}`)

func (d deployed) call(function string, argument any) (string, bool) {
	switch function {
	case "Ref":
		return d.ref(argument.(string))
	case "Fn::GetAtt":
		pair := argument.([]any)
		return d.attribute(pair[0].(string), pair[1].(string))
	case "Fn::Join":
		pair := argument.([]any)
		var parts []string
		for _, part := range pair[1].([]any) {
			parts = append(parts, fmt.Sprint(d.resolve(part)))
		}
		return strings.Join(parts, pair[0].(string)), true
	case "Fn::Select": // from Fn::Split, as CDK writes it
		pair := argument.([]any)
		split, ok := pair[1].(map[string]any)["Fn::Split"].([]any)
		if !ok {
			return "", false
		}
		return strings.Split(fmt.Sprint(d.resolve(split[1])), split[0].(string))[int(pair[0].(float64))], true
	case "Fn::Sub":
		text, names := argument, map[string]any{}
		if pair, ok := argument.([]any); ok {
			text, names = pair[0], pair[1].(map[string]any)
		}
		return placeholder.ReplaceAllStringFunc(text.(string), func(name string) string {
			name = name[2 : len(name)-1]
			if literal, ok := strings.CutPrefix(name, "!"); ok {
				return "${" + literal + "}"
			}
			if value, ok := names[name]; ok {
				return fmt.Sprint(d.resolve(value))
			}
			text, _ := d.ref(name)
			return text
		}), true
	}
	return "", false
}

func (d deployed) ref(name string) (string, bool) {
	switch name {
	case "AWS::AccountId":
		return d.account, true
	case "AWS::Region":
		return region, true
	case "AWS::StackName":
		return d.name, true
	case "AWS::Partition":
		return "aws", true
	case "AWS::URLSuffix":
		return "amazonaws.com", true
	}
	id, ok := d.physical[name]
	return id, ok
}

func (d deployed) attribute(id, name string) (string, bool) {
	physical, ok := d.physical[id]
	kind := d.template.Resources[id].Type
	switch {
	case !ok:
		return "", false
	case kind == "AWS::Lambda::Version" && name == "Version":
		return physical[strings.LastIndexByte(physical, ':')+1:], true
	case kind == "AWS::EC2::SecurityGroup" && name == "GroupId":
		return physical, true
	case kind == "AWS::StepFunctions::StateMachine" && name == "Name":
		return physical[strings.LastIndexByte(physical, ':')+1:], true
	case name != "Arn":
		return "", false
	}
	switch kind {
	case "AWS::KMS::Key":
		return fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", region, d.account, physical), true
	case "AWS::SQS::Queue":
		return fmt.Sprintf("arn:aws:sqs:%s:%s:%s", region, d.account, physical[strings.LastIndexByte(physical, '/')+1:]), true
	case "AWS::StepFunctions::StateMachine":
		return physical, true
	case "AWS::Events::Rule":
		return fmt.Sprintf("arn:aws:events:%s:%s:rule/%s", region, d.account, physical[strings.LastIndexByte(physical, '/')+1:]), true
	case "AWS::IAM::Role":
		return "arn:aws:iam::" + d.account + ":role/" + physical, true
	case "AWS::Lambda::Function":
		return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", region, d.account, physical), true
	case "AWS::Logs::LogGroup":
		return fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s:*", region, d.account, physical), true
	}
	return "", false
}
