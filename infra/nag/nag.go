// Package nag writes into a resource's Metadata why a rule of cdk-nag does not apply to it. Only tests link
// cdk-nag, because every synth would have to load it.
package nag

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Suppression is a rule that does not apply, and the reason for a reviewer.
type Suppression struct {
	Rule      string   // such as AwsSolutions-IAM5
	AppliesTo []string // findings of the rule, such as Resource::*; nil means all
	Reason    string
}

// Suppress writes to the construct's resource, all at once, because a second call would replace the first. See
// https://github.com/cdklabs/cdk-nag#suppressing-a-rule.
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
