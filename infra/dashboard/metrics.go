package dashboard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm/list"
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

// Metric filters: those by arm, and those of the whole experiment.
var (
	byArm = []filter{
		{initDuration, isCold, "$.record.metrics.initDurationMs", "Milliseconds"},
		{maxMemoryUsed, isReport, "$.record.metrics.maxMemoryUsedMB", "Megabytes"},
	}
	ofAll = []filter{
		{invocations, isReport, "1", "Count"}, {coldStarts, isCold, "1", "Count"}, {failures, isError, "1", "Count"},
	}
)

// filters defines the transformers, and the metric filters of Metrics and Alarms.
func (c parts) filters() {
	if !c.transforms() && !c.has(Alarms) {
		return
	}
	var transformers, filters Chain
	ids := map[string]bool{}
	for _, i := range c.firsts {
		a := c.Arms[i]
		// The memory is part of the id even if there is only one, so that a wider experiment replaces nothing.
		id := fmt.Sprintf("%s-%d", strings.ReplaceAll(a.Identity.Arm, "/", "-"), a.Identity.MemorySizeMB)
		for ids[id] { // "a/b" beside "a-b"
			id += "-"
		}
		ids[id] = true
		scope := constructs.NewConstruct(c.scope, &id)
		var transformer awslogs.CfnTransformer
		if c.transforms() {
			transformer = c.transformer(scope, i)
			transformers.Add(transformer)
		}
		if c.has(Metrics) {
			for _, f := range byArm {
				made := c.filter(scope, i, f, true)
				// The order matters to CloudFormation's checks only: a function writes no log before it is invoked.
				made.AddDependency(transformer)
				filters.Add(made)
			}
		}
		if c.has(Alarms) {
			for _, f := range ofAll {
				filters.Add(c.filter(scope, i, f, false))
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
		LogGroupName: c.groups[i], FilterPattern: jsii.String("{ " + f.pattern + " }"),
		MetricTransformations: &[]any{transformation},
	}
	if byArm {
		transformation.Dimensions, props.ApplyOnTransformedLogs = list.Map(dimensions, func(key string) any {
			return &awslogs.CfnMetricFilter_DimensionProperty{Key: &key, Value: jsii.String("$." + key)}
		}), true
	}
	return awslogs.NewCfnMetricFilter(scope, &f.metric, props)
}

// atOnce is how many resources of one kind of CloudWatch Logs CloudFormation may create or delete at the same time. For
// a metric filter CloudFormation makes two describing calls and one writing call, and CloudWatch Logs takes five such
// calls a second. If more filters are made at once, CloudFormation runs out of retries and rolls the stack back.
// https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-logs (ClientBuilder.java)
const atOnce = 3

// Chain makes each resource wait for the one that was added atOnce before it.
type Chain []awscdk.CfnResource

// Add appends a resource.
func (c *Chain) Add(r awscdk.CfnResource) {
	if n := len(*c) - atOnce; n >= 0 {
		r.AddDependency((*c)[n])
	}
	*c = append(*c, r)
}

// dimensions lists the keys that a transformer adds to the events of an arm's log group.
var dimensions = []string{"arm", "package", "bootstrap"}

// transforms reports whether the log groups have transformers. Queries, bars and dimensions name arms by the keys
// that transformers add.
func (c parts) transforms() bool {
	if c.shared() {
		return c.has(Contributors) // a rule ranks by keys only
	}
	return c.has(Metrics) || c.has(Widgets) || c.has(Queries) || c.has(Contributors)
}

// transformer adds to each event of an arm's log group what the event does not say. The function's own output, if it is
// not JSON, stays as it is.
func (c parts) transformer(scope constructs.Construct, i int) awslogs.CfnTransformer {
	a := c.Arms[i]
	var keys []any
	for k, value := range []string{c.name(a), string(a.Identity.Package), a.Identity.Bootstrap} {
		if value == "" {
			value = "-" // a dimension without a value would keep the metric from being published
		}
		keys = append(keys, &awslogs.CfnTransformer_AddKeyEntryProperty{Key: &dimensions[k], Value: &value})
	}
	message := &awslogs.CfnTransformer_ParseJSONProperty{Source: jsii.String("@message")}
	// The stream is one execution environment, and Contributor Insights ranks environments.
	stream := &awslogs.CfnTransformer_CopyValueProperty{Entries: []any{&awslogs.CfnTransformer_CopyValueEntryProperty{
		Source: jsii.String("@logGroupStream"), Target: jsii.String("logStream"),
	}}}
	config := []any{
		&awslogs.CfnTransformer_ProcessorProperty{ParseJson: message},
		&awslogs.CfnTransformer_ProcessorProperty{AddKeys: &awslogs.CfnTransformer_AddKeysProperty{Entries: keys}},
		&awslogs.CfnTransformer_ProcessorProperty{CopyValue: stream},
	}
	if c.shared() {
		config = slices.Delete(config, 1, 2)
	}
	props := &awslogs.CfnTransformerProps{LogGroupIdentifier: c.groups[i], TransformerConfig: config}
	return awslogs.NewCfnTransformer(scope, jsii.String("Transformer"), props)
}
