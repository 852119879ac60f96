// Package dashboard is a CDK construct that shows functions of one purpose side by side in CloudWatch: how long each
// takes to start and to answer, how often it starts cold, what it costs.
//
//	dashboard.NewDashboard(stack, jsii.String("Dashboard"), &dashboard.DashboardProps{
//		Experiment: "packaging",
//		Arms: []dashboard.Arm{
//			{Function: zip, LogGroup: zip.LogGroup(), Identity: arm.Identity{Arm: "rawtcp/zip"}},
//		},
//	})
//
// It has five parts, each of which can be left out: the dashboard itself, alarms, saved queries and, off by default,
// metrics by arm and a Contributor Insights rule. docs/cost.md says what each costs.
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

	"github.com/aws/constructs-go/constructs/v10"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/cdk"
)

// NewDashboard does what New does, and panics if there is an error, as constructs do.
func NewDashboard(scope constructs.Construct, id *string, props *DashboardProps) constructs.Construct {
	return cdk.Must(New(scope, id, props))
}

// New defines the parts that props ask for below scope/id. If it returns an error, nothing has been added to the scope.
// The error is one line.
//
// The resources are the CDK's L1 constructs: 26 arms have 112 by default; an L2 construct takes three times as long.
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
	for i, a := range p.Arms { // only once, because each call of the CDK goes to another process
		c.groups = append(c.groups, a.LogGroup.LogGroupRef().LogGroupName)
		c.architectures = append(c.architectures, architecture(a))
		if group := *c.groups[i]; !seen[group] {
			seen[group], c.firsts = true, append(c.firsts, i)
		}
	}
	if c.shared() && p.has(Metrics) {
		return nil, fmt.Errorf("dashboard %q: part %s takes a log group for each arm, because an event in a shared group "+
			"does not name its arm: leave that part out", *id, Metrics)
	}
	this := constructs.NewConstruct(scope, id)
	c.scope = this
	c.filters()
	define := map[Part]func(){Widgets: c.widgets, Alarms: c.alarms, Queries: c.queries, Contributors: c.contributors}
	for _, part := range Parts() {
		if part != Metrics && p.has(part) { // filters has defined the metrics
			define[part]()
		}
	}
	return this, nil
}

// parts holds the props and what was read from the arms' resources. Its methods define the parts.
type parts struct {
	scope constructs.Construct
	DashboardProps
	groups        []*string          // names of the arms' log groups
	firsts        []int              // the first arm of each group
	architectures []arm.Architecture // of the arms
}

// shared reports whether arms share a log group. In a shared group, the name of an event's log stream contains the
// name of its function. The dashboard lists which function is which arm, because only CloudFormation knows the
// functions' names.
func (c parts) shared() bool { return len(c.firsts) < len(c.Arms) }

// architecture returns the architecture of the arm's identity, or else of its function.
func architecture(a Arm) arm.Architecture {
	if a.Identity.Architecture != "" {
		return a.Identity.Architecture
	}
	return arm.Architecture(*a.Function.Architecture().Name())
}
