// Package dashboard is a CDK construct that shows functions of one purpose side by side in CloudWatch: how long each
// takes to start and to answer, how often it starts cold, what it costs.
//
//	dashboard.NewDashboard(stack, jsii.String("Dashboard"), &dashboard.DashboardProps{
//		Experiment: "packaging",
//		Arms:       []dashboard.Arm{{Function: zip, LogGroup: zip.LogGroup(), Identity: arm.Identity{Arm: "rawtcp/zip", ...}}, ...},
//	})
//
// It has five parts, each of which can be left out: the dashboard itself, metrics by arm, alarms, saved queries and,
// off by default, a Contributor Insights rule. What each costs is in docs/cost.md.
//
// # Where the figures come from
//
// The functions must log in Lambda's JSON format, as those of package bashfunction do. Figures that AWS/Lambda does not
// publish (Init Duration, Max Memory Used) are in the events named platform.report. Metric filters turn them into
// metrics in the namespace Twinstart/EXPERIMENT. An event does not name its arm, and a metric filter takes dimensions
// from events only. So each log group has a transformer that adds arm, package and bootstrap to its events. Queries can
// group by them, too.
//
// The dashboard queries the logs for Lambda's reports. It reads metrics only for throttles and concurrent executions,
// because a dashboard with more than 50 metrics is not free. The metrics by arm are kept longer than the logs: 15
// months.
//
// Alarms are for the experiment, not for each arm: the filters of all arms count into the same three metrics
// (Invocations, ColdStarts, Errors), and an alarm is metric maths over two of them.
package dashboard

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
)

// NewDashboard does what New does, and panics if there is an error, as constructs do.
func NewDashboard(scope constructs.Construct, id *string, props *DashboardProps) constructs.Construct {
	this, err := New(scope, id, props)
	if err != nil {
		panic(err)
	}
	return this
}

// New defines the parts that props ask for below scope/id. Nothing has been added to the scope when it returns an
// error, which is one line.
//
// Its resources are CDK's L1 constructs: 26 arms have 160 of them, and an L2 construct costs a synth three times as
// much.
func New(scope constructs.Construct, id *string, props *DashboardProps) (constructs.Construct, error) {
	if props == nil {
		props = &DashboardProps{}
	}
	p := props.withDefaults()
	if err := p.validate(); err != nil {
		return nil, fmt.Errorf("dashboard %q: %w", *id, err)
	}
	c := parts{DashboardProps: p}
	seen := map[string]bool{}
	for i, a := range p.Arms { // only once, because each of these calls goes to another process
		c.groups = append(c.groups, a.LogGroup.LogGroupRef().LogGroupName)
		c.architectures = append(c.architectures, architecture(a))
		if group := *c.groups[i]; !seen[group] {
			seen[group], c.firsts = true, append(c.firsts, i)
		}
	}
	if c.shared() && p.has(Metrics) {
		return nil, fmt.Errorf("dashboard %q: part %s wants a log group for each arm: a metric filter takes dimensions from events, and an event in a shared group does not say which arm it is of: leave that part out", *id, Metrics)
	}
	this := constructs.NewConstruct(scope, id)
	c.scope = this
	c.filters()
	for _, part := range []struct {
		Part
		define func()
	}{{Widgets, c.widgets}, {Alarms, c.alarms}, {Queries, c.queries}, {Contributors, c.contributors}} {
		if p.has(part.Part) {
			part.define()
		}
	}
	return this, nil
}

// parts defines the parts.
type parts struct {
	scope constructs.Construct
	DashboardProps
	groups        []*string          // names of the arms' log groups
	firsts        []int              // the first arm of each group
	architectures []arm.Architecture // of the arms
}

// shared reports whether arms share a log group. Then events are told apart by the function, whose name is in the
// name of the log stream. The dashboard lists which function is which arm, because only CloudFormation knows the
// names of functions.
func (c parts) shared() bool { return len(c.firsts) < len(c.Arms) }

// architecture returns the architecture of the arm's identity, or else of its function.
func architecture(a Arm) arm.Architecture {
	if a.Identity.Architecture != "" {
		return a.Identity.Architecture
	}
	return arm.Architecture(*a.Function.Architecture().Name())
}

// alarm compares an expression of two metrics, a and b, with a threshold. CloudWatch bills an alarm by its metrics.
type alarm struct {
	id, description string
	a, b            metric
	expression      string
	threshold       float64
	periods         int     // in a row
	seconds         float64 // of each period
}

// metric is a metric; without a namespace it is one of the experiment.
type metric struct{ namespace, name string }

// alarms defines three alarms for the whole experiment. They have no actions: subscribe to those that matter to
// you. No log contains throttles, AWS/Lambda counts them by function or by account, and an alarm takes at most ten
// metrics. So the account's throttles are counted while the experiment runs; the concurrency that runs out is the
// account's.
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
