package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/dashboard"
	"github.com/twinstart/twinstart/packages"
)

// timeoutSeconds leaves the slowest handler room at the smallest memory, where it has a fourteenth of a CPU.
const timeoutSeconds = 60

// newStack defines one function for each arm and memory. Arms that cannot exist or cannot be built here are left out, with a warning
// and an entry in the template's Metadata, so that every report can say so.
func newStack(scope constructs.Construct, s settings, builder bashfunction.Builder) (awscdk.Stack, error) {
	stack := awscdk.NewStack(scope, jsii.String("Twinstart-"+s.Experiment), &awscdk.StackProps{
		Description: jsii.String(fmt.Sprintf("Twinstart experiment %s: cold starts by bootstrap and deployment package", s.Experiment)),
		// Indented, the template of all arms is a third larger than it need be; cdk synth shows it as YAML anyway.
		SuppressTemplateIndentation: jsii.Bool(true),
		Tags:                        &map[string]*string{"twinstart:experiment": jsii.String(s.Experiment)},
	})
	apply := s.Options.apply(stack)
	absent := []arm.NotMeasured{}
	var shown []dashboard.Arm
	for _, a := range s.Arms {
		added, why, err := addArm(stack, s, a, builder, apply)
		if err != nil {
			return nil, err
		}
		shown = append(shown, added...)
		if why != "" {
			absent = append(absent, arm.NotMeasured{Arm: a.ID(), Why: why})
		}
	}
	if len(absent) == len(s.Arms) {
		return nil, fmt.Errorf("nothing to measure: %s", arm.Reasons(absent))
	}
	for i := dashboard.AtOnce; i < len(shown); i++ {
		logGroup(shown[i]).AddDependency(logGroup(shown[i-dashboard.AtOnce]))
	}
	if len(s.Observe) > 0 {
		if _, err := dashboard.New(stack, jsii.String("CloudWatch"), &dashboard.DashboardProps{Experiment: s.Experiment, Arms: shown, Parts: s.Observe}); err != nil {
			return nil, err
		}
	}
	if s.Tuning {
		if err := addTuning(stack, s, shown); err != nil {
			return nil, err
		}
	}
	addOutputs(stack, s)
	warnOfDocker(stack, images(shown))
	stack.AddMetadata(jsii.String(arm.MetadataKey), map[string]any{"notMeasured": bashfunction.Plain(absent)})
	for _, line := range arm.ByReason(absent) {
		awscdk.Annotations_Of(stack).AddWarningV2(jsii.String("twinstart:notMeasured"), jsii.String("not measured: "+line))
	}
	return stack, nil
}

// addArm defines an arm's functions, or says why it has none.
func addArm(stack awscdk.Stack, s settings, a selectedArm, builder bashfunction.Builder, apply func(*bashfunction.BashFunctionProps)) (added []dashboard.Arm, why string, err error) {
	for _, memory := range s.MemorySizes {
		// The memory is part of the id even where there is one, so that widening a deployed experiment replaces nothing.
		id := fmt.Sprintf("%s-%s-%d", a.Bootstrap.Name, a.Package, memory)
		props := &bashfunction.BashFunctionProps{
			FunctionOptions: awslambda.FunctionOptions{
				Architecture: architectures[s.Architecture](),
				MemorySize:   jsii.Number(memory),
				Timeout:      awscdk.Duration_Seconds(jsii.Number(timeoutSeconds)),
				Description:  jsii.String(fmt.Sprintf("%s at %d MB, %s, handler %s: %s", a.ID(), memory, s.Architecture, s.Handler, a.Bootstrap.Doc)),
			},
			Entry:     filepath.Join(handlersDir, s.Handler),
			Bootstrap: a.Bootstrap.Name,
			Package:   a.Package,
			Builder:   builder,
		}
		apply(props)
		function, err := bashfunction.New(stack, jsii.String(id), props)
		var impossible *packages.ImpossibleError
		var unavailable *packages.UnavailableError
		switch {
		case errors.As(err, &impossible):
			return nil, impossible.Why, nil
		case errors.As(err, &unavailable):
			return nil, fmt.Sprintf("%s; %s", unavailable.Why, unavailable.Remedy), nil
		case err != nil:
			return nil, "", err
		}
		identity := arm.Identity{
			Experiment: s.Experiment, Arm: a.ID(), Bootstrap: a.Bootstrap.Name, Package: a.Package,
			Architecture: s.Architecture, MemorySizeMB: memory, Handler: s.Handler,
		}
		bashfunction.Identify(function, identity)
		s.Options.explain(function)
		added = append(added, dashboard.Arm{Function: function, LogGroup: function.LogGroup(), Identity: identity})
	}
	return added, "", nil
}

func logGroup(a dashboard.Arm) awscdk.CfnResource {
	return a.Function.(awslambda.Function).LogGroup().Node().DefaultChild().(awscdk.CfnResource)
}

var architectures = map[arm.Architecture]func() awslambda.Architecture{
	arm.ARM64: awslambda.Architecture_ARM_64,
	arm.X8664: awslambda.Architecture_X86_64,
}
