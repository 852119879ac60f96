package dashboard

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"
)

// contributors defines a Contributor Insights rule that ranks log streams, which are execution environments, by the INIT of their cold
// start. See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/ContributorInsights-RuleSyntax.html.
func (c parts) contributors() {
	var groups []string
	names := map[string]*string{}
	for i := range c.Arms {
		key := fmt.Sprintf("g%d", i)
		groups = append(groups, "${"+key+"}")
		names[key] = c.groups[i]
	}
	body := map[string]any{
		"Schema":        map[string]any{"Name": "CloudWatchLogRule", "Version": 1},
		"LogGroupNames": groups,
		"LogFormat":     "JSON",
		"Contribution": map[string]any{
			"Keys":    []string{"$.arm", "$.logStream"},
			"ValueOf": "$.record.metrics.initDurationMs",
			"Filters": []any{
				map[string]any{"Match": "$.type", "In": []string{"platform.report"}},
				map[string]any{"Match": "$.record.metrics.initDurationMs", "GreaterThan": 0},
			},
		},
		"AggregateOn": "Sum", // a stream has one cold start
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // of maps and text
	}
	awscloudwatch.NewCfnInsightRule(c.scope, jsii.String("SlowestStreams"), &awscloudwatch.CfnInsightRuleProps{
		RuleName:               awscdk.Fn_Sub(jsii.String("${AWS::StackName}-slowest-init"), nil),
		RuleState:              jsii.String("ENABLED"),
		RuleBody:               awscdk.Fn_Sub(jsii.String(string(text)), &names),
		ApplyOnTransformedLogs: true,
	})
}
