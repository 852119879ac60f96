package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/dashboard"
	"github.com/twinstart/twinstart/infra/experiment"
	"github.com/twinstart/twinstart/infra/powertuning"
	"github.com/twinstart/twinstart/packages"
)

// timeoutSeconds is enough for the slowest handler with the smallest memory, which has a fourteenth of a CPU.
const timeoutSeconds = 60

// newStack defines one function for each arm and memory. An arm that cannot exist or cannot be built here is left out,
// with a warning and an entry in the template's Metadata, which every report shows.
func newStack(scope constructs.Construct, s settings, builder bashfunction.Builder) (awscdk.Stack, error) {
	stack, e, options, err := s.begin(scope, "cold starts by bootstrap and deployment package")
	if err != nil {
		return nil, err
	}
	absent := []arm.NotMeasured{}
	props := bashfunction.BashFunctionProps{
		FunctionOptions: options, Entry: jsii.String(filepath.Join(handlersDir, s.Handler)),
		Builder: builder, Provisioned: s.Provisioned, URL: &s.URL,
	}
	for _, a := range s.Arms {
		for _, level := range s.levels() {
			why, err := s.addArm(stack, e, props, a, level)
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

// finish ends an experiment. absent are the arms that were left out.
func finish(stack awscdk.Stack, e *experiment.Experiment, absent []arm.NotMeasured) error {
	if len(e.Arms()) == 0 {
		return fmt.Errorf("nothing to measure: %s", arm.Reasons(absent))
	}
	warnOfDocker(stack, e.Arms())
	stack.AddMetadata(jsii.String(arm.MetadataKey), map[string]any{"notMeasured": bashfunction.Plain(absent)})
	for _, line := range arm.ByReason(absent) {
		awscdk.Annotations_Of(stack).AddWarningV2(jsii.String("twinstart:notMeasured"), jsii.String("not measured: "+line))
	}
	return e.Finish()
}

// begin defines a stack Twinstart-<experiment> and begins the experiment that the settings describe. It returns the
// options of the experiment's functions.
func (s *settings) begin(scope constructs.Construct, subject string) (
	stack awscdk.Stack, e *experiment.Experiment, options awslambda.FunctionOptions, err error,
) {
	stack = awscdk.NewStack(scope, jsii.String("Twinstart-"+s.Experiment), &awscdk.StackProps{
		Description: jsii.String(fmt.Sprintf("Twinstart experiment %s: %s", s.Experiment, subject)),
		// With indentation the template of all arms would be a third larger. cdk synth shows it as YAML anyway.
		SuppressTemplateIndentation: jsii.Bool(true),
		Tags:                        &map[string]*string{"twinstart:experiment": jsii.String(s.Experiment)},
	})
	options, keys := s.define(stack)
	code := s.tuningCode
	if s.Tuning && code == nil {
		dir, err := stepsProgram(s.Architecture)
		if err != nil {
			return nil, nil, options, err
		}
		code = awslambda.Code_FromAsset(&dir, nil)
	}
	e, err = experiment.New(stack, jsii.String("Experiment"), &experiment.ExperimentProps{
		Name: s.Experiment, Observe: s.Observe, NoTuning: !s.Tuning,
		Tuning: powertuning.PowerTuningProps{
			Architecture: cdkArchitecture(s.Architecture), // Go needs its standard library for it anyway
			Tracing:      s.Tracing == awslambda.Tracing_ACTIVE, EnvironmentKeys: keys, Code: code,
		},
	})
	return stack, e, options, err
}

func cdkArchitecture(a arm.Architecture) awslambda.Architecture {
	return awslambda.Architecture_Custom(jsii.String(string(a)), nil)
}

// warnOfDocker says at synth, before anything is created, how to build images without Docker. The CDK CLI calls the
// program that CDK_DOCKER names, or else docker. See https://docs.aws.amazon.com/cdk/v2/guide/build-containers.html.
func warnOfDocker(stack awscdk.Stack, arms []dashboard.Arm) {
	images := len(slices.DeleteFunc(arms, func(a dashboard.Arm) bool { return a.Identity.Package == arm.ZIP }))
	if _, err := exec.LookPath("docker"); images == 0 || err == nil || os.Getenv("CDK_DOCKER") != "" {
		return
	}
	warning := fmt.Sprintf("cdk deploy builds %d images and docker is not in PATH: "+
		"`make build && export CDK_DOCKER=$PWD/bin/cdk-docker` builds them without it", images)
	awscdk.Annotations_Of(stack).AddWarningV2(jsii.String("twinstart:docker"), &warning)
}

// addArm defines an arm's functions, or says why it has none. Functions with SnapStart have no version in the template:
// a snapshot is billed as long as it exists, and a run publishes and deletes its own versions.
func (s *settings) addArm(
	stack awscdk.Stack, e *experiment.Experiment, props bashfunction.BashFunctionProps, a selectedArm, level string,
) (why string, err error) {
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
		props.Bootstrap, props.Package, props.MemorySize = &a.Bootstrap.Name, a.Package, jsii.Number(memory)
		props.Description = jsii.String(fmt.Sprintf("%s at %d MB, %s, handler %s: %s",
			name, memory, s.Architecture, s.Handler, a.Bootstrap.Doc))
		if level == arm.Primed {
			props.Environment = &map[string]*string{primeVariable: jsii.String("1")}
		}
		function, err := bashfunction.New(stack, jsii.String(id), &props)
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

// primeVariable asks handlers/primed to answer an event before a snapshot is taken. It is a variable, because another
// package would be another arm.
const primeVariable = "TWINSTART_PRIME"

// named refuses packages whose file names cannot be names of arms.
func named(paths []string) ([]string, error) {
	names := map[string]string{}
	for _, path := range paths {
		name := packageName(path)
		if other, twice := names[name]; twice {
			return nil, fmt.Errorf("%s and %s would both be called %s: rename one", other, path, name)
		}
		if !plainName.MatchString(name) {
			return nil, fmt.Errorf("%q cannot name an arm: use letters, digits and single hyphens", filepath.Base(path))
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
	stack, e, options, err := s.begin(scope, "the same files as ZIP and as image")
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
	return stack, finish(stack, e, []arm.NotMeasured{})
}

// addPair defines a package's two functions, or only the image if Lambda takes no snapshot of the ZIP.
func (s *settings) addPair(
	e *experiment.Experiment, path string, memory int, level string, options awslambda.FunctionOptions,
) error {
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

// selectedArm is one cell of the factorial.
type selectedArm struct {
	Bootstrap packages.Bootstrap
	Package   arm.Package
}

// ID is the arm's name, as in "nethttp/zip".
func (a selectedArm) ID() string { return arm.ID(a.Bootstrap.Name, a.Package) }

// factorial returns every bootstrap in every package, whether or not it can exist or be built here.
func factorial() []selectedArm {
	var arms []selectedArm
	for _, b := range packages.Bootstraps() {
		for _, p := range arm.Packages() {
			arms = append(arms, selectedArm{b, p})
		}
	}
	return arms
}

// selectArms returns the arms that match any of the patterns (arm.Match), in the order of reports. If a pattern matches
// nothing, that is an error, so that a typing error in a list is noticed.
func selectArms(patterns []string) (arms []selectedArm, err error) {
	found := map[string]bool{}
	for _, a := range factorial() {
		chosen := false
		for _, pattern := range patterns {
			matches, err := arm.Match(pattern, a.ID())
			if err != nil {
				return nil, err
			}
			chosen, found[pattern] = chosen || matches, found[pattern] || matches
		}
		if chosen {
			arms = append(arms, a)
		}
	}
	for _, pattern := range patterns {
		if !found[pattern] {
			names := list.Map(packages.Bootstraps(), func(b packages.Bootstrap) string { return b.Name })
			kinds := list.Map(arm.Packages(), func(p arm.Package) string { return string(p) })
			return nil, fmt.Errorf("%q matches no arm: use BOOTSTRAP/PACKAGE of %s and %s, with * for any", pattern,
				strings.Join(names, "|"), strings.Join(kinds, "|"))
		}
	}
	return arms, nil
}
