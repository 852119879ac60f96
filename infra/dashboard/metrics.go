package dashboard

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Names of the metrics in the experiment's namespace.
const (
	// By arm, package and bootstrap.
	initDuration  = "InitDuration"  // ms; of cold starts only, so its SampleCount is their number
	maxMemoryUsed = "MaxMemoryUsed" // MB

	// Of the whole experiment, without dimensions.
	invocations = "Invocations"
	coldStarts  = "ColdStarts"
	failures    = "Errors" // invocations whose status is not success
)

const (
	isReport = `$.type = "platform.report"`
	isCold   = isReport + ` && $.record.metrics.initDurationMs >= 0`
	isError  = isReport + ` && $.record.status != "success"`
)

// dimensions are the keys that a transformer adds to the events of an arm's log group.
var dimensions = []string{"arm", "package", "bootstrap"}

// filters defines transformers and metric filters, for Metrics and for Alarms.
func (c parts) filters() {
	for i, a := range c.Arms {
		if !c.has(Metrics) && !c.has(Alarms) {
			return
		}
		scope := constructs.NewConstruct(c.scope, jsii.String(fmt.Sprintf("%s-%s-%d", a.Identity.Bootstrap, a.Identity.Package, a.Identity.MemorySizeMB)))
		if a.Identity.Bootstrap == "" {
			scope = constructs.NewConstruct(c.scope, jsii.String(fmt.Sprintf("Arm%d", i)))
		}
		if c.has(Metrics) {
			transformer := c.transformer(scope, i)
			for _, f := range []filter{{initDuration, isCold, "$.record.metrics.initDurationMs", "Milliseconds"}, {maxMemoryUsed, isReport, "$.record.metrics.maxMemoryUsedMB", "Megabytes"}} {
				// Lambda writes no log before it is invoked, so the order of the two is a matter of what CloudFormation checks.
				c.filter(scope, i, f, true).AddDependency(transformer)
			}
		}
		if c.has(Alarms) {
			for _, f := range []filter{{invocations, isReport, "1", "Count"}, {coldStarts, isCold, "1", "Count"}, {failures, isError, "1", "Count"}} {
				c.filter(scope, i, f, false)
			}
		}
	}
}

// filter is a metric and the events that it is made of.
type filter struct{ metric, pattern, value, unit string }

func (c parts) filter(scope constructs.Construct, i int, f filter, byArm bool) awslogs.CfnMetricFilter {
	transformation := &awslogs.CfnMetricFilter_MetricTransformationProperty{
		MetricNamespace: jsii.String(c.namespace()), MetricName: &f.metric, MetricValue: &f.value, Unit: &f.unit,
	}
	props := &awslogs.CfnMetricFilterProps{
		LogGroupName:          c.groups[i],
		FilterPattern:         jsii.String("{ " + f.pattern + " }"),
		MetricTransformations: &[]any{transformation},
	}
	if byArm {
		var list []any
		for _, key := range dimensions {
			list = append(list, &awslogs.CfnMetricFilter_DimensionProperty{Key: &key, Value: jsii.String("$." + key)})
		}
		transformation.Dimensions, props.ApplyOnTransformedLogs = list, true
	}
	return awslogs.NewCfnMetricFilter(scope, &f.metric, props)
}

// transformer adds to each event of an arm's log group what the event does not say. What is not JSON, the function's own output, stays as
// it is.
func (c parts) transformer(scope constructs.Construct, i int) awslogs.CfnTransformer {
	a := c.Arms[i]
	var keys []any
	for k, value := range []string{c.name(a), string(a.Identity.Package), a.Identity.Bootstrap} {
		if value == "" {
			value = "-" // a dimension without a value would keep the metric from being published
		}
		keys = append(keys, &awslogs.CfnTransformer_AddKeyEntryProperty{Key: &dimensions[k], Value: &value})
	}
	return awslogs.NewCfnTransformer(scope, jsii.String("Transformer"), &awslogs.CfnTransformerProps{
		LogGroupIdentifier: c.groups[i],
		TransformerConfig: []any{
			&awslogs.CfnTransformer_ProcessorProperty{ParseJson: &awslogs.CfnTransformer_ParseJSONProperty{}},
			&awslogs.CfnTransformer_ProcessorProperty{AddKeys: &awslogs.CfnTransformer_AddKeysProperty{Entries: keys}},
			// The stream is one execution environment: what Contributor Insights ranks.
			&awslogs.CfnTransformer_ProcessorProperty{CopyValue: &awslogs.CfnTransformer_CopyValueProperty{Entries: []any{
				&awslogs.CfnTransformer_CopyValueEntryProperty{Source: jsii.String("@logGroupStream"), Target: jsii.String("logStream")},
			}}},
		},
	})
}
