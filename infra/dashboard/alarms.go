package dashboard

import (
	"cmp"
	_ "embed"
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"
)

// alarm compares an expression of two metrics, a and b, with a threshold. CloudWatch bills an alarm by its metrics.
type alarm struct {
	id, description string
	a, b            metric
	expression      string
	threshold       float64
	periods         int     // in a row
	seconds         float64 // of each period
}

// Thresholds are in percent, except Throttles.
type Thresholds struct {
	ErrorRate      float64 // of invocations within 5 minutes; default 5
	ColdStartShare float64 // of invocations within an hour, three hours in a row; default 90
	Throttles      float64 // within 5 minutes; default 1
}

// metric is a metric. If it has no namespace, it is one of the experiment's.
type metric struct{ namespace, name string }

// alarms defines three alarms for the whole experiment. They have no actions: subscribe to those that matter to
// you.
//
// No log contains throttles. AWS/Lambda counts them by function or by account, and an alarm takes at most ten metrics.
// So the alarm counts the account's throttles while the experiment runs. Besides, what runs out is mostly the account's
// concurrency.
func (c parts) alarms() {
	const percent, count = "IF(FILL(b, 0) > 0, 100 * FILL(a, 0) / b, 0)", "IF(FILL(b, 0) > 0, FILL(a, 0), 0)"
	all, limit := metric{name: invocations}, c.Thresholds
	for _, a := range []alarm{
		{"ErrorRate", "invocations of the experiment that failed, in %, within 5 minutes",
			metric{name: failures}, all, percent, limit.ErrorRate, 1, 300},
		{"Throttles", "invocations throttled in this account and region, within 5 minutes in which the experiment ran",
			metric{"AWS/Lambda", "Throttles"}, all, count, limit.Throttles, 1, 300},
		{"ColdStartShare", "invocations of the experiment that were cold starts, in %, three hours in a row",
			metric{name: coldStarts}, all, percent, limit.ColdStartShare, 3, 3600},
	} {
		share := &awscloudwatch.CfnAlarm_MetricDataQueryProperty{
			Id: jsii.String("share"), Label: &a.id, Expression: &a.expression, ReturnData: true,
		}
		awscloudwatch.NewCfnAlarm(c.scope, &a.id, &awscloudwatch.CfnAlarmProps{
			AlarmDescription:   jsii.String("Twinstart " + c.Experiment + ": " + a.description),
			ComparisonOperator: jsii.String("GreaterThanOrEqualToThreshold"),
			EvaluationPeriods:  jsii.Number(a.periods), Threshold: &a.threshold,
			TreatMissingData: jsii.String("notBreaching"),
			Metrics:          []any{share, c.query("a", a.a, a.seconds), c.query("b", a.b, a.seconds)},
		})
	}
}

func (c parts) query(id string, m metric, seconds float64) *awscloudwatch.CfnAlarm_MetricDataQueryProperty {
	m.namespace = cmp.Or(m.namespace, c.namespace())
	sum := &awscloudwatch.CfnAlarm_MetricStatProperty{
		Metric: &awscloudwatch.CfnAlarm_MetricProperty{Namespace: &m.namespace, MetricName: &m.name},
		Period: &seconds, Stat: jsii.String("Sum"),
	}
	return &awscloudwatch.CfnAlarm_MetricDataQueryProperty{Id: &id, ReturnData: false, MetricStat: sum}
}

// slowest is the rule's body, without its log groups and keys. It ranks by the sum of INIT: one per stream.
//
//go:embed slowest.json
var slowest string

// contributors defines a Contributor Insights rule that ranks log streams by the INIT of their cold start. A log stream
// is an execution environment.
// See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/ContributorInsights-RuleSyntax.html.
func (c parts) contributors() {
	var groups []string
	names := map[string]*string{}
	for _, i := range c.firsts {
		groups = append(groups, fmt.Sprintf(`"${g%d}"`, i))
		names[fmt.Sprintf("g%d", i)] = c.groups[i]
	}
	keys := `"$.arm","$.logStream"`
	if c.shared() {
		keys = `"$.logStream"` // its name contains the function's name
	}
	body := fmt.Sprintf(strings.ReplaceAll(slowest, "\n", ""), strings.Join(groups, ","), keys)
	awscloudwatch.NewCfnInsightRule(c.scope, jsii.String("SlowestStreams"), &awscloudwatch.CfnInsightRuleProps{
		RuleName:               awscdk.Fn_Sub(jsii.String("${AWS::StackName}-slowest-init"), nil),
		RuleState:              jsii.String("ENABLED"),
		RuleBody:               awscdk.Fn_Sub(&body, &names),
		ApplyOnTransformedLogs: true,
	})
}
