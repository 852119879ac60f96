package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/infra/experiment"
)

// named refuses packages whose arms could not be called by their files' names.
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

// packageName is what a package's arms are called: its file's name without .zip; other dots and underscores become hyphens.
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
			id := packageName(path)
			levels := experiment.Levels{"bootstrap": id}
			if len(s.MemorySizes) > 1 {
				id = fmt.Sprintf("%s-%d", id, memory)
			}
			props := &experiment.PairProps{Code: path, Handler: s.Handler, Levels: levels, FunctionOptions: options}
			props.MemorySize = jsii.Number(memory)
			if s.Runtime != "" {
				props.Runtime = awslambda.NewRuntime(&s.Runtime, "", nil)
			}
			zip, image, err := e.Pair(id, props)
			if err != nil {
				return nil, fmt.Errorf("-c packages: %w", err)
			}
			s.explain(zip)
			s.explain(image)
		}
	}
	if err := e.Finish(); err != nil {
		return nil, err
	}
	warnOfDocker(stack, e.Arms())
	return stack, nil
}
