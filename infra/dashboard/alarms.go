package dashboard

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"
)

// alarm compares an expression over two metrics, a and b, with a threshold. CloudWatch bills an alarm by the metrics that it reads.
type alarm struct {
	id, description string
	a, b            metric
	expression      string
	threshold       float64
	periods         int     // in a row
	seconds         float64 // of each period
}

// metric without a namespace is one of the experiment's.
type metric struct{ namespace, name string }

// alarms defines three alarms for the whole experiment. They have no actions: subscribe to them where a state matters to somebody.
// Throttles are written to no log, and AWS/Lambda's are by function or by account, while an alarm takes ten metrics at most. So the
// account's are counted, as long as the experiment runs: it is the account's concurrency that runs out.
func (c parts) alarms() {
	for _, a := range []alarm{
		{"ErrorRate", "invocations of the experiment that failed, in %, within 5 minutes",
			metric{name: failures}, metric{name: invocations}, "IF(FILL(b, 0) > 0, 100 * FILL(a, 0) / b, 0)", c.Thresholds.ErrorRate, 1, 300},
		{"Throttles", "invocations throttled in this account and region, within 5 minutes in which the experiment ran",
			metric{"AWS/Lambda", "Throttles"}, metric{name: invocations}, "IF(FILL(b, 0) > 0, FILL(a, 0), 0)", c.Thresholds.Throttles, 1, 300},
		{"ColdStartShare", "invocations of the experiment that were cold starts, in %, three hours in a row",
			metric{name: coldStarts}, metric{name: invocations}, "IF(FILL(b, 0) > 0, 100 * FILL(a, 0) / b, 0)", c.Thresholds.ColdStartShare, 3, 3600},
	} {
		awscloudwatch.NewCfnAlarm(c.scope, &a.id, &awscloudwatch.CfnAlarmProps{
			AlarmDescription:   jsii.String("Twinstart " + c.Experiment + ": " + a.description),
			ComparisonOperator: jsii.String("GreaterThanOrEqualToThreshold"),
			EvaluationPeriods:  jsii.Number(a.periods),
			Threshold:          &a.threshold,
			TreatMissingData:   jsii.String("notBreaching"),
			Metrics: []any{
				&awscloudwatch.CfnAlarm_MetricDataQueryProperty{Id: jsii.String("share"), Label: &a.id, Expression: &a.expression, ReturnData: true},
				c.query("a", a.a, a.seconds), c.query("b", a.b, a.seconds),
			},
		})
	}
}

func (c parts) query(id string, m metric, seconds float64) *awscloudwatch.CfnAlarm_MetricDataQueryProperty {
	if m.namespace == "" {
		m.namespace = c.namespace()
	}
	return &awscloudwatch.CfnAlarm_MetricDataQueryProperty{Id: &id, ReturnData: false, MetricStat: &awscloudwatch.CfnAlarm_MetricStatProperty{
		Metric: &awscloudwatch.CfnAlarm_MetricProperty{Namespace: &m.namespace, MetricName: &m.name},
		Period: &seconds, Stat: jsii.String("Sum"),
	}}
}
