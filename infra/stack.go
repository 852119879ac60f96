package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/dashboard"
	"github.com/twinstart/twinstart/infra/experiment"
	"github.com/twinstart/twinstart/infra/powertuning"
	"github.com/twinstart/twinstart/packages"
)

// timeoutSeconds is enough for the slowest handler with the smallest memory, which has a fourteenth of a CPU.
const timeoutSeconds = 60

// newStack defines one function for each arm and memory. Arms that cannot exist or cannot be built here are left out,
// with a warning and an entry in the template's Metadata, so that every report can say so.
func newStack(scope constructs.Construct, s settings, builder bashfunction.Builder) (awscdk.Stack, error) {
	stack := newBareStack(scope, s, "cold starts by bootstrap and deployment package")
	e, options, err := s.begin(stack)
	if err != nil {
		return nil, err
	}
	absent := []arm.NotMeasured{}
	for _, a := range s.Arms {
		for _, level := range s.levels() {
			why, err := addArm(stack, e, s, a, level, builder, options)
			if err != nil {
				return nil, err
			}
			if why != "" {
				absent = append(absent, arm.NotMeasured{Arm: arm.Restored(a.ID(), level), Why: why})
			}
		}
	}
	return stack, finish(stack, e, absent)
}

// finish ends an experiment, some of whose arms may be left out.
func finish(stack awscdk.Stack, e *experiment.Experiment, absent []arm.NotMeasured) error {
	if len(e.Arms()) == 0 {
		return fmt.Errorf("nothing to measure: %s", arm.Reasons(absent))
	}
	if err := e.Finish(); err != nil {
		return err
	}
	warnOfDocker(stack, e.Arms())
	stack.AddMetadata(jsii.String(arm.MetadataKey), map[string]any{"notMeasured": bashfunction.Plain(absent)})
	for _, line := range arm.ByReason(absent) {
		awscdk.Annotations_Of(stack).AddWarningV2(jsii.String("twinstart:notMeasured"), jsii.String("not measured: "+line))
	}
	return nil
}

// newBareStack defines an empty stack Twinstart-<experiment>.
func newBareStack(scope constructs.Construct, s settings, subject string) awscdk.Stack {
	return awscdk.NewStack(scope, jsii.String("Twinstart-"+s.Experiment), &awscdk.StackProps{
		Description: jsii.String(fmt.Sprintf("Twinstart experiment %s: %s", s.Experiment, subject)),
		// With indentation the template of all arms would be a third larger. cdk synth shows it as YAML anyway.
		SuppressTemplateIndentation: jsii.Bool(true),
		Tags:                        &map[string]*string{"twinstart:experiment": jsii.String(s.Experiment)},
	})
}

// begin begins the experiment that the settings describe, and returns the options of its functions.
func (s *settings) begin(stack awscdk.Stack) (*experiment.Experiment, awslambda.FunctionOptions, error) {
	options, keys := s.define(stack)
	code := s.tuningCode
	if s.Tuning && code == nil {
		dir, err := stepsProgram(s.Architecture)
		if err != nil {
			return nil, options, err
		}
		code = awslambda.Code_FromAsset(&dir, nil)
	}
	e, err := experiment.New(stack, jsii.String("Experiment"), &experiment.ExperimentProps{
		Name: s.Experiment, Observe: s.Observe, NoTuning: !s.Tuning,
		Tuning: powertuning.PowerTuningProps{
			Architecture: architectures[s.Architecture](), // the building machine has compiled the standard library for it
			Tracing:      s.Tracing == awslambda.Tracing_ACTIVE, EnvironmentKeys: keys, Code: code,
		},
	})
	return e, options, err
}

// addArm defines an arm's functions, or says why it has none. Those with SnapStart have no version in the template: a
// snapshot costs for as long as it is there, and a run publishes and deletes its own.
func addArm(stack awscdk.Stack, e *experiment.Experiment, s settings, a selectedArm, level string, builder bashfunction.Builder,
	options awslambda.FunctionOptions) (why string, err error) {
	name := arm.Restored(a.ID(), level)
	snapStart := name != a.ID()
	if snapStart && a.Package == arm.ZIP {
		return "Lambda has no SnapStart for a ZIP of provided.al2023", nil
	}
	for _, memory := range s.MemorySizes {
		// The memory is part of the id even if there is only one, so that a wider experiment replaces nothing.
		id := fmt.Sprintf("%s-%s-%d", a.Bootstrap.Name, a.Package, memory)
		if snapStart {
			id += "-" + level
		}
		props := &bashfunction.BashFunctionProps{
			FunctionOptions: options,
			Entry:           jsii.String(filepath.Join(handlersDir, s.Handler)),
			Bootstrap:       &a.Bootstrap.Name,
			Package:         a.Package,
			Builder:         builder,

			Provisioned: s.Provisioned, URL: &s.URL,
		}
		props.MemorySize = jsii.Number(memory)
		props.Description = jsii.String(fmt.Sprintf("%s at %d MB, %s, handler %s: %s", name, memory, s.Architecture, s.Handler, a.Bootstrap.Doc))
		if level == arm.Primed {
			props.Environment = &map[string]*string{primeVariable: jsii.String("1")}
		}
		function, err := bashfunction.New(stack, jsii.String(id), props)
		var impossible *packages.ImpossibleError
		var unavailable *packages.UnavailableError
		switch {
		case errors.As(err, &impossible):
			return impossible.Why, nil
		case errors.As(err, &unavailable):
			return fmt.Sprintf("%s; %s", unavailable.Why, unavailable.Remedy), nil
		case err != nil:
			return "", err
		}
		identity := arm.Identity{
			Arm: name, Bootstrap: a.Bootstrap.Name, Package: a.Package,
			Architecture: s.Architecture, MemorySizeMB: memory, Handler: s.Handler,
		}
		if level != "" {
			identity.Levels = map[string]string{arm.SnapStart: level}
		}
		if snapStart {
			bashfunction.SnapStart(function)
		}
		e.AddIdentity(function, identity)
		s.explain(function)
	}
	return "", nil
}

// primeVariable asks handlers/primed to answer an event before a snapshot is taken. Another package would be another
// arm.
const primeVariable = "TWINSTART_PRIME"

var architectures = map[arm.Architecture]func() awslambda.Architecture{
	arm.ARM64: awslambda.Architecture_ARM_64,
	arm.X8664: awslambda.Architecture_X86_64,
}

// warnOfDocker says at synth, before anything is created, how to build images without Docker. The CDK CLI calls
// what CDK_DOCKER names, else docker. See https://docs.aws.amazon.com/cdk/v2/guide/build-containers.html.
func warnOfDocker(stack awscdk.Stack, arms []dashboard.Arm) {
	images := 0
	for _, a := range arms {
		if a.Identity.Package != arm.ZIP {
			images++
		}
	}
	if _, err := exec.LookPath("docker"); images == 0 || err == nil || os.Getenv("CDK_DOCKER") != "" {
		return
	}
	awscdk.Annotations_Of(stack).AddWarningV2(jsii.String("twinstart:docker"), jsii.String(fmt.Sprintf(
		"cdk deploy builds %d images and docker is not in PATH: `make build && export CDK_DOCKER=$PWD/bin/cdk-docker` builds them without it", images)))
}

// named refuses packages whose file names cannot be names of arms.
func named(paths []string) ([]string, error) {
	names := map[string]string{}
	for _, path := range paths {
		name := packageName(path)
		if other, twice := names[name]; twice {
			return nil, fmt.Errorf("%s and %s would both be called %s: rename one", other, path, name)
		}
		if !plainName.MatchString(name) {
			return nil, fmt.Errorf("%q names no arm: use letters, digits and single hyphens in file names", filepath.Base(path))
		}
		names[name] = path
	}
	return paths, nil
}

// packageName returns the name of a package's arms: the file's name without .zip, with hyphens for dots and
// underscores.
func packageName(path string) string {
	return strings.NewReplacer(".", "-", "_", "-").Replace(strings.TrimSuffix(filepath.Base(path), ".zip"))
}

// newOwnStack defines each package twice, as a ZIP and as an image, at each memory.
func newOwnStack(scope constructs.Construct, s settings) (awscdk.Stack, error) {
	stack := newBareStack(scope, s, "the same files as ZIP and as image")
	e, options, err := s.begin(stack)
	if err != nil {
		return nil, err
	}
	for _, path := range s.Packages {
		for _, memory := range s.MemorySizes {
			for _, level := range s.levels() {
				if err := s.addPair(e, path, memory, level, options); err != nil {
					return nil, fmt.Errorf("-c packages: %w", err)
				}
			}
		}
	}
	if err := e.Finish(); err != nil {
		return nil, err
	}
	warnOfDocker(stack, e.Arms())
	return stack, nil
}

// addPair defines a package's two functions, or the image alone where Lambda takes no snapshot of the ZIP.
func (s *settings) addPair(e *experiment.Experiment, path string, memory int, level string, options awslambda.FunctionOptions) error {
	id := packageName(path)
	levels := experiment.Levels{"bootstrap": id}
	if len(s.MemorySizes) > 1 {
		id = fmt.Sprintf("%s-%d", id, memory)
	}
	if level != "" {
		levels[arm.SnapStart] = level
	}
	if level == arm.Unprimed {
		id += "-" + level
	}
	props := &experiment.PairProps{Code: &path, Handler: &s.Handler, Levels: levels, FunctionOptions: options}
	props.MemorySize = jsii.Number(memory)
	if s.Runtime != "" {
		props.Runtime = awslambda.NewRuntime(&s.Runtime, "", nil)
	}
	zip, image, err := e.Pair(id, props)
	if err != nil {
		return err
	}
	if zip != nil {
		s.explain(zip)
	}
	s.explain(image)
	return nil
}
