// Package dashboard is a CDK construct that shows functions of one purpose side by side in CloudWatch: how long each takes to start and to
// answer, how often it starts cold, what it costs.
//
//	dashboard.NewDashboard(stack, jsii.String("Dashboard"), &dashboard.DashboardProps{
//		Experiment: "packaging",
//		Arms:       []dashboard.Arm{{Function: zip, LogGroup: zip.LogGroup(), Identity: arm.Identity{Arm: "rawtcp/zip", ...}}, ...},
//	})
//
// It has five parts, each of which can be left out: the dashboard itself, metrics by arm, alarms, saved queries and, off by
// default, a Contributor Insights rule. What each costs is in docs/cost.md.
//
// # Where the figures come from
//
// The functions must log in Lambda's JSON format, as those of package bashfunction do: everything that AWS/Lambda does not publish
// itself (Init Duration, Max Memory Used) is in the events named platform.report, of which metric filters make metrics in the
// namespace Twinstart/EXPERIMENT. An event does not say which arm it is of, and a metric filter takes dimensions from events only, so
// each log group has a transformer that adds arm, package and bootstrap to its events; queries can group by them too.
//
// The dashboard asks the logs for what reports say, and reads metrics for throttles and concurrent executions alone, for a dashboard of
// more than 50 metrics is not free. The metrics by arm outlive the logs: 15 months.
//
// Alarms are for the experiment, not for each arm: the filters of all arms count into the same three metrics (Invocations,
// ColdStarts, Errors), and an alarm is metric maths over two of them.
package dashboard
