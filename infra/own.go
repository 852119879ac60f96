package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/infra/experiment"
)

// ownName is what an experiment of somebody's own packages is called, unless it is given a name.
const ownName = "own"

// own is what `-c packages=` takes with it.
type own struct {
	Packages []string // folders or ZIP files in Lambda's form; none: the experiment is of our bootstraps
	Handler  string   // what Lambda calls, of every package
	Runtime  string   // Lambda's name of the ZIPs' runtime
}

// runtimeName keeps a name what a template may hold; whether Lambda has such a runtime is for Lambda to say.
var runtimeName = regexp.MustCompile(`^[a-z]+[a-z0-9.]*$`)

func (o *own) validate(options options) error {
	switch {
	case len(o.Packages) == 0 && o.Runtime != "":
		return fmt.Errorf("-c %s is for packages of your own: add -c %s=function.zip", keyRuntime, keyPackages)
	case len(o.Packages) == 0:
		return nil
	case options.Provisioned != nil || options.URL:
		return fmt.Errorf("-c %s measures functions by Invoke, on demand: leave -c %s and -c %s out", keyPackages, keyProvisioned, keyURL)
	}
	names := map[string]string{}
	for _, path := range o.Packages {
		name := packageName(path)
		if other, twice := names[name]; twice {
			return fmt.Errorf("-c %s: %s and %s would both be called %s: rename one", keyPackages, other, path, name)
		}
		if !plainName.MatchString(name) {
			return fmt.Errorf("-c %s: %q names no arm: use letters, digits and single hyphens in file names", keyPackages, filepath.Base(path))
		}
		names[name] = path
	}
	return nil
}

// packageName is what a package's arms are called: its file's name without .zip; other dots and underscores become hyphens.
func packageName(path string) string {
	return strings.NewReplacer(".", "-", "_", "-").Replace(strings.TrimSuffix(filepath.Base(path), ".zip"))
}

// newOwnStack defines each package twice, as a ZIP and as an image, at each memory.
func newOwnStack(scope constructs.Construct, s settings) (awscdk.Stack, error) {
	stack := newBareStack(scope, s, "the same files as ZIP and as image")
	e, err := s.begin(stack)
	if err != nil {
		return nil, err
	}
	apply := s.Options.apply(stack)
	for _, path := range s.Own.Packages {
		for _, memory := range s.MemorySizes {
			id := packageName(path)
			levels := experiment.Levels{"bootstrap": id}
			if len(s.MemorySizes) > 1 {
				id = fmt.Sprintf("%s-%d", id, memory)
			}
			props := &experiment.PairProps{Code: path, Handler: s.Own.Handler, Levels: levels, FunctionOptions: awslambda.FunctionOptions{
				Architecture: architectures[s.Architecture](), MemorySize: jsii.Number(memory), Timeout: awscdk.Duration_Seconds(jsii.Number(timeoutSeconds)),
			}}
			if s.Own.Runtime != "" {
				props.Runtime = awslambda.NewRuntime(&s.Own.Runtime, "", nil)
			}
			apply(&props.FunctionOptions)
			zip, image, err := e.Pair(id, props)
			if err != nil {
				return nil, fmt.Errorf("-c %s: %w", keyPackages, err)
			}
			s.Options.explain(zip)
			s.Options.explain(image)
		}
	}
	if err := e.Finish(); err != nil {
		return nil, err
	}
	warnOfDocker(stack, e.Arms())
	return stack, nil
}
