// Package nag writes down, in a resource's Metadata, why a rule of cdk-nag does not hold for it. cdk-nag itself is linked by tests only:
// loading it would cost every synth.
package nag

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Suppression is a rule, what of the resource it does not hold for, and the reason that a reviewer is to judge.
type Suppression struct {
	Rule      string   // such as AwsSolutions-IAM5
	AppliesTo []string // findings of the rule, such as Resource::*; nil for all
	Reason    string
}

// Suppress writes to the construct's resource, all at once: a second call would replace the first. See https://github.com/cdklabs/cdk-nag#suppressing-a-rule.
func Suppress(construct constructs.IConstruct, all ...Suppression) {
	var rules []any
	for _, s := range all {
		rule := map[string]any{"id": s.Rule, "reason": s.Reason}
		if s.AppliesTo != nil {
			rule["applies_to"] = s.AppliesTo
		}
		rules = append(rules, rule)
	}
	resource := construct.Node().DefaultChild().(awscdk.CfnResource)
	resource.AddMetadata(jsii.String("cdk_nag"), map[string]any{"rules_to_suppress": rules})
}
