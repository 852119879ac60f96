package experiment

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/packages/archive"
)

// PairProps describe two functions with the same files, one as a ZIP and one as an image. Code is required.
type PairProps struct {
	awslambda.FunctionOptions // Architecture, MemorySize, Timeout, Environment and so on, of both functions

	// A folder or a ZIP file, in the form that Lambda takes: its top becomes /var/task.
	//
	// Example:
	//   Code: jsii.String("build/checkout.zip")
	// Required.
	Code *string

	// The handler that Lambda calls.
	//
	// Default: bootstrap, which suits programs for provided.*.
	Handler *string

	// The runtime of the ZIP. The image is FROM the base image of the same runtime.
	//
	// Default: awslambda.Runtime_PROVIDED_AL2023().
	Runtime awslambda.Runtime

	// The one kind of package to define, arm.ZIP or arm.Image.
	//
	// Default: both.
	Only arm.Package

	// The arms' name, before /zip and /image.
	//
	// Default: the level of bootstrap.
	Name string

	// The event with which the arms are measured, as JSON.
	//
	// Default: the run's event, or {} if the run names none.
	Event string

	// The levels that the arms share, by factor. Pair sets "package". With {"snapstart": "unprimed"} or "primed", Lambda
	// takes snapshots of versions. The ZIP is left out if Lambda takes no snapshots of a ZIP of the runtime.
	//
	// Default: none. The arms are called <id>/zip and <id>/image.
	Levels Levels
}

// Pair defines two functions of the same files, one as a ZIP and one as a container image, and adds both. One is nil if
// Only or Levels leaves it out. An error is one line.
func (e *Experiment) Pair(id string, props *PairProps) (zip, image awslambda.Function, err error) {
	if props == nil || props.Code == nil || *props.Code == "" {
		return nil, nil, fmt.Errorf("pair %q: prop Code is missing: name a folder or a ZIP file", id)
	}
	zip, image, err = e.pair(id, *props)
	if err != nil {
		return nil, nil, fmt.Errorf("pair %q: %w", id, err)
	}
	return zip, image, nil
}

func (e *Experiment) pair(id string, p PairProps) (zip, image awslambda.Function, err error) {
	if p.Handler == nil || *p.Handler == "" {
		p.Handler = jsii.String("bootstrap")
	}
	p.Runtime = cmp.Or(p.Runtime, awslambda.Runtime_PROVIDED_AL2023())
	p.Architecture = cmp.Or(p.Architecture, awslambda.Architecture_X86_64()) // Lambda's own default
	if _, err := baseImage(*p.Runtime.Name()); err != nil {
		return nil, nil, err
	}
	level := p.Levels[arm.SnapStart]
	snapStart := level != "" && level != arm.SnapStartOff
	kinds := slices.DeleteFunc([]arm.Package{arm.ZIP, arm.Image}, func(kind arm.Package) bool {
		return p.Only != "" && p.Only != kind || kind == arm.ZIP && snapStart && !arm.SnapStartZIP(*p.Runtime.Name())
	})
	files := map[arm.Package]awslambda.FunctionProps{}
	for _, kind := range kinds {
		files[kind], err = Props(kind, *p.Code, p.Runtime, *p.Handler, arm.Architecture(*p.Architecture.Name()), snapStart)
		if err != nil {
			return nil, nil, err
		}
	}
	both := constructs.NewConstruct(e.scope, &id)
	p.LoggingFormat = awslambda.LoggingFormat_JSON // figures are read from it
	functions := map[arm.Package]awslambda.Function{}
	for _, kind := range kinds {
		name := map[arm.Package]string{arm.ZIP: "Zip", arm.Image: "Image"}[kind]
		function := bashfunction.Function(constructs.NewConstruct(both, &name), p.FunctionOptions, files[kind])
		if snapStart {
			bashfunction.SnapStart(function)
		}
		levels := Levels{"bootstrap": id, "handler": *p.Handler}
		maps.Copy(levels, p.Levels)
		levels["package"] = string(kind)
		e.add(function, levels, p.Name, p.Event)
		functions[kind] = function
	}
	return functions[arm.ZIP], functions[arm.Image], nil
}

// Props returns the props of a function that has the files of a folder or a ZIP as its code. An image is FROM the base
// image of the runtime.
func Props(
	kind arm.Package, code string, runtime awslambda.Runtime, handler string, a arm.Architecture, snapStart bool,
) (props awslambda.FunctionProps, err error) {
	if code, err = filepath.Abs(code); err != nil {
		return props, err
	}
	if _, err := os.Stat(code); err != nil {
		return props, fmt.Errorf("there is no %s: correct the path", code)
	}
	if kind == arm.ZIP {
		return awslambda.FunctionProps{Code: awslambda.Code_FromAsset(&code, nil), Runtime: runtime, Handler: &handler}, nil
	}
	base, err := baseImage(*runtime.Name())
	if err != nil {
		return props, err
	}
	label := ""
	if snapStart && !snapStartBase.MatchString(base) {
		label = "LABEL com.amazonaws.lambda.feature.snapstart=\"Allow\"\n" // without it, the runtime has to call restore/next
	}
	context, err := imageContext(code, base, handler, label)
	if err != nil {
		return props, fmt.Errorf("laying out its image: %w", err)
	}
	return bashfunction.Image(context, a), nil
}

// snapStartBase matches base images whose runtimes follow SnapStart's protocol.
var snapStartBase = regexp.MustCompile(`/(java|python|dotnet):`)

// managed matches the names of runtimes: nodejs22.x, python3.13, java21, ruby3.4, dotnet8, provided.al2023.
var managed = regexp.MustCompile(`^(nodejs|python|java|ruby|dotnet|provided)\.?([a-z0-9.]+?)(\.x)?$`)

// baseImage returns AWS's base image for a runtime. See
// https://docs.aws.amazon.com/lambda/latest/dg/images-create.html.
func baseImage(runtime string) (string, error) {
	parts := managed.FindStringSubmatch(runtime)
	if parts == nil {
		return "", fmt.Errorf("no base image is known for runtime %q: use, for example, nodejs22.x or python3.13", runtime)
	}
	return "public.ecr.aws/lambda/" + parts[1] + ":" + parts[2], nil
}

// imageContext puts code beside a Dockerfile in a folder of the cache. The folder is named by its content.
func imageContext(code, base, handler, label string) (string, error) {
	if strings.ContainsAny(handler, "\n\"\\") {
		return "", fmt.Errorf("handler %q cannot be written in a Dockerfile: use a plain name", handler)
	}
	pairs, err := archive.Cache("pairs")
	if err != nil {
		return "", err
	}
	return archive.Keep(pairs, func(dir string) error {
		if err := archive.Lay(code, filepath.Join(dir, "package")); err != nil {
			return err
		}
		entry := ""
		if strings.Contains(base, "/provided:") { // its entry point looks for the bootstrap in /var/runtime
			entry = "ENTRYPOINT [\"/var/task/bootstrap\"]\n"
		}
		text := fmt.Sprintf("FROM %s\n%sCOPY package/ /var/task/\n%sCMD [\"%s\"]\n", base, label, entry, handler)
		return os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644)
	})
}
