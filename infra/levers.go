package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/cdk"
	"github.com/twinstart/twinstart/infra/experiment"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/language"
)

// leverBench is what all arms of the experiment of levers share: one package, ours or the user's own.
type leverBench struct {
	*settings
	stack    awscdk.Stack
	e        *experiment.Experiment
	options  awslambda.FunctionOptions
	identity arm.Identity // of the baseline
	code     string       // a ZIP file, or a folder
	runtime  awslambda.Runtime
	table    awsdynamodb.Table // for the lever code
	absent   []arm.NotMeasured
	builder  interruptible
}

// newLeversStack defines a baseline with its null twin, and an arm for each level of each lever. If an update of the
// configuration can carry a level, the arm is a variant of the baseline's function: a run forces cold starts by updates
// anyway. Any other arm is another function.
func newLeversStack(scope constructs.Construct, s settings, builder interruptible) (awscdk.Stack, error) {
	l := &leverBench{
		settings: &s, absent: []arm.NotMeasured{}, runtime: awslambda.Runtime_PROVIDED_AL2023(), builder: builder,
	}
	var err error
	if l.stack, l.e, l.options, err = s.begin(scope, "one change each, against a baseline"); err != nil {
		return nil, err
	}
	l.options.MemorySize = jsii.Number(s.MemorySizes[0])
	l.options.LoggingFormat = awslambda.LoggingFormat_JSON // figures are read from it
	l.identity = arm.Identity{
		Package: arm.ZIP, Architecture: s.Architecture, MemorySizeMB: s.MemorySizes[0], Handler: s.Handler,
	}
	switch {
	case len(s.Packages) > 0:
		l.identity.Bootstrap = packageName(s.Packages[0])
		if s.Runtime != "" {
			l.runtime = awslambda.NewRuntime(&s.Runtime, "", nil)
		}
	case s.has(arm.Code):
		language := l.Languages[0]
		l.runtime = awslambda.NewRuntime(&language.Runtime, "", nil)
		l.identity.Bootstrap, l.identity.Handler, l.identity.Event = language.Name, habitsHandler, habitsEvent
		if l.table, err = geoTable(l.stack); err != nil {
			return nil, err
		}
	default:
		l.identity.Bootstrap = s.Arms[0].Bootstrap.Name
	}
	if l.code, err = l.build(s.Architecture); err != nil {
		return nil, err
	}
	l.identity.Arm = arm.ID(l.identity.Bootstrap, arm.ZIP)
	l.identity = l.identity.Pulled(arm.Baseline, "")
	baseline := l.identity
	baseline.Variants = []arm.Variant{{Lever: arm.Twin}}
	for _, lever := range s.Levers {
		for _, level := range lever.Levels {
			set, err := l.pull(lever.Name, level)
			if err != nil {
				return nil, fmt.Errorf("-c levers=%s: %w", lever.Name, err)
			}
			if set != nil {
				baseline.Variants = append(baseline.Variants, arm.Variant{Lever: lever.Name, Level: level, Set: *set})
			}
		}
	}
	if _, err := l.function("Baseline", l.code, baseline, l.options); err != nil {
		return nil, err
	}
	return l.stack, finish(l.stack, l.e, l.absent)
}

// build returns the package for an architecture. The user's own is the same for both.
func (l *leverBench) build(a arm.Architecture) (string, error) {
	switch {
	case len(l.Packages) > 0:
		return l.Packages[0], nil
	case l.has(arm.Code):
		return buildLanguage(l.Languages[0], l.builder.ctx, habits, a)
	}
	return l.builder.ZIP(l.builder.ctx, l.identity.Bootstrap, a, filepath.Join(handlersDir, l.Handler))
}

// leversHandler is the handler that can have an extension in its process.
const leversHandler = "levers"

// function defines a function as an arm.
func (l *leverBench) function(
	id, code string, identity arm.Identity, options awslambda.FunctionOptions,
) (awslambda.Function, error) {
	handler := l.Handler
	switch {
	case l.table != nil:
		handler = l.Languages[0].Handler(habits.Name)
	case len(l.Packages) == 0:
		handler = bashfunction.DefaultHandler
	case handler == "":
		handler = "bootstrap"
	}
	props, err := experiment.Props(identity.Package, code, l.runtime, handler, identity.Architecture, false)
	if err != nil {
		return nil, err
	}
	f := bashfunction.Function(constructs.NewConstruct(l.stack, &id), options, props)
	if l.table != nil {
		grant(l.table, f, habitsCalls)
	}
	l.e.AddIdentity(f, identity)
	explained := *l.settings
	if l.has("tracing") { // an update cannot give the function's role the rights
		f.AddToRolePolicy(cdk.Allow(*jsii.Strings("*"), "xray:PutTraceSegments", "xray:PutTelemetryRecords"))
		explained.Tracing = awslambda.Tracing_ACTIVE
	}
	explained.explain(f)
	return f, nil
}

// habits is the function of the lever code. The levels are its habits.
var habits = language.Function{Project: filepath.Join(handlersDir, habitsHandler), Name: "work"}

const (
	habitsHandler = "habits"
	habitsEvent   = `{"mb":8}` // the function makes a digest of 8 MB, on one core or on four
)

// habitsCalls are the calls that the function makes to DynamoDB.
var habitsCalls = []string{"GetItem", "PutItem", "BatchWriteItem"}

// habit returns what a habit overrides. It returns nil if the language does not have the habit. It also returns nil if
// the habit needs another package, which is a variant of the language: then it defines a function with that package.
func (l *leverBench) habit(level string) (*arm.Override, error) {
	if !slices.Contains(arm.CodeHabits(l.Languages[0].Name), level) {
		return nil, nil
	}
	variant, err := languagesNamed([]string{l.Languages[0].Name + "-" + level})
	if err != nil {
		return &arm.Override{Environment: map[string]string{arm.CodeVariable: level}}, nil //nolint:nilerr // the same package
	}
	identity := l.identity.Pulled(arm.Code, level)
	code, err := buildLanguage(variant[0], l.builder.ctx, habits, l.Architecture)
	if unavailable := (*packages.UnavailableError)(nil); errors.As(err, &unavailable) {
		why := unavailable.Why + "; " + unavailable.Remedy
		l.absent = append(l.absent, arm.NotMeasured{Arm: identity.Arm, Why: why})
		return nil, nil
	}
	if err == nil {
		_, err = l.function("Code-"+level, code, identity, l.options)
	}
	return nil, err
}
