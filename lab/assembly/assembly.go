// Package assembly reads a synthesized cloud assembly (cdk.out) for the lab and the measuring driver: which
// functions exist, how they are named and configured, and where their deployment packages are.
//
// It reads the files that the CDK CLI deploys (manifest.json, the stack's template, its assets.json), so the lab
// runs what would be deployed. It does not link the CDK.
package assembly

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/twinstart/twinstart/arm"
)

// Assembly is a cloud assembly on disk.
type Assembly struct {
	Dir    string
	Stacks []Stack // in the order of their names; includes nested assemblies (stages)
}

// Stack is one stack of an assembly.
type Stack struct {
	Name        string
	Functions   []Function        // in the order of their logical IDs
	Tables      []Table           // of DynamoDB, in the same order
	NotMeasured []arm.NotMeasured // from the template's Metadata, and functions that cannot be read
	Template    string            // path of the template
}

// Function is an AWS::Lambda::Function with its deployment package.
type Function struct {
	LogicalID            string
	Identity             arm.Identity
	PackageType          PackageType
	Runtime              string // "provided.al2023", or a managed one; "" for an image
	Handler              string // "handler.run"; "" for an image
	Description          string
	Role                 string // ARN of the role
	TimeoutSeconds       int    // Lambda's default is 3
	MemorySizeMB         int    // Lambda's default is 128
	EphemeralStorageMB   int    // of /tmp; Lambda's default is 512
	SnapStart            bool   // of versions; $LATEST has none
	ReservedConcurrency  *int   // most invocations at once; nil if the function has no limit
	Environment          map[string]string
	Architecture         arm.Architecture
	LogGroup             string
	LogFormat            LogFormat
	Package              string            // a .zip file, a folder to be zipped, or an image's context folder
	Layers               []string          // like Package, in the order in which they are laid over each other at /opt
	OtherLayers          map[string]string // those of the arm's variants, by logical ID
	Dockerfile           string            // path below Package, for an image
	ImageConfig          ImageConfig       // for an image
	PackageSizeBytes     int64             // of the ZIP file, or of an image's context without the Dockerfile
	PhysicalFunctionName string            // FunctionName, if the template sets it
	Ignored              []string          // properties that the template sets but this package does not read
}

// LayerARN is the ARN of a layer in the lab.
func LayerARN(logicalID string) string {
	return "arn:aws:lambda:" + Region + ":" + Account + ":layer:" + logicalID + ":1"
}

// Name is the function's name in the lab: its FunctionName, or else its logical ID.
func (f *Function) Name() string { return cmp.Or(f.PhysicalFunctionName, f.LogicalID) }

// Managed reports whether the function needs one of Lambda's managed language runtimes.
func (f *Function) Managed() bool { return f.PackageType == Zip && Managed(f.Runtime) }

// Managed reports whether a runtime is one of Lambda's managed language runtimes.
func Managed(runtime string) bool { return runtime != "" && !strings.HasPrefix(runtime, "provided") }

// LogFormat is the form of Lambda's own log lines about an invocation: START, END and REPORT, or platform events.
type LogFormat string

// Lambda's log formats.
const (
	Text LogFormat = "Text"
	JSON LogFormat = "JSON"
)

// PackageType is how code reaches Lambda.
type PackageType string

// Lambda's package types.
const (
	Zip   PackageType = "Zip"
	Image PackageType = "Image"
)

// ImageConfig overrides settings of an image. An empty field overrides nothing.
type ImageConfig struct {
	Command          []string
	EntryPoint       []string
	WorkingDirectory string
}

// Remedy says what to do if there is no assembly.
const Remedy = "run `npx cdk synth` first, or name another folder with --assembly"

type manifest struct {
	Version   string
	Artifacts map[string]artifact
}

type artifact struct {
	Type, DisplayName string
	Properties        struct{ TemplateFile, StackName, DirectoryName string }
}

// Read reads the assembly in dir with all its stacks. If a stack has no functions, Stack returns an error, not
// Read.
func Read(dir string) (*Assembly, error) {
	a := &Assembly{Dir: dir}
	if err := a.read(dir); err != nil {
		return nil, err
	}
	slices.SortFunc(a.Stacks, func(x, y Stack) int { return strings.Compare(x.Name, y.Name) })
	return a, nil
}

func (a *Assembly) read(dir string) error {
	path := filepath.Join(dir, "manifest.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("no cloud assembly in %s: %s", dir, Remedy)
	}
	if err != nil {
		return fmt.Errorf("reading the cloud assembly: %w", err)
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("%s is not a cloud assembly's manifest (%w): %s", path, err, Remedy)
	}
	if m.Version == "" || m.Artifacts == nil {
		return fmt.Errorf("%s is not a cloud assembly's manifest (no version or artifacts): %s", path, Remedy)
	}
	for _, id := range slices.Sorted(maps.Keys(m.Artifacts)) {
		switch art := m.Artifacts[id]; art.Type {
		case "aws:cloudformation:stack":
			stack, err := readStack(dir, id, art)
			if err != nil {
				return err
			}
			a.Stacks = append(a.Stacks, stack)
		case "cdk:cloud-assembly":
			nested, err := local(dir, art.Properties.DirectoryName)
			if err != nil {
				return err
			}
			if err := a.read(nested); err != nil {
				return err
			}
		}
	}
	return nil
}

// Stack returns a stack by name. If the name is empty it returns the only stack that has functions.
func (a *Assembly) Stack(name string) (*Stack, error) {
	var names []string
	var withArms []*Stack
	for i := range a.Stacks {
		stack := &a.Stacks[i]
		if stack.Name == name {
			return stack, stack.check(a.Dir)
		}
		names = append(names, stack.Name)
		if len(stack.Functions) > 0 {
			withArms = append(withArms, stack)
		}
	}
	switch {
	case len(a.Stacks) == 0:
		return nil, fmt.Errorf("the cloud assembly in %s has no stack: %s", a.Dir, Remedy)
	case name != "":
		return nil, fmt.Errorf("no stack %q in %s: choose one of %s with --stack", name, a.Dir, strings.Join(names, ", "))
	case len(withArms) == 1:
		return withArms[0], nil
	case len(withArms) == 0:
		withReason := slices.IndexFunc(a.Stacks, func(s Stack) bool { return len(s.NotMeasured) > 0 })
		return nil, a.Stacks[max(0, withReason)].check(a.Dir)
	}
	names = nil
	for _, stack := range withArms {
		names = append(names, stack.Name)
	}
	return nil, fmt.Errorf("several stacks in %s: choose one of %s with --stack", a.Dir, strings.Join(names, ", "))
}

func (s *Stack) check(dir string) error {
	switch {
	case len(s.Functions) > 0:
		return nil
	case len(s.NotMeasured) > 0:
		return fmt.Errorf("nothing to measure in stack %s of %s: %s", s.Name, dir, arm.Reasons(s.NotMeasured))
	}
	return fmt.Errorf("stack %s of %s has no AWS::Lambda::Function: choose another with --stack or --assembly, or give a package (twinstart run f.zip)", s.Name, dir)
}

// local joins a name from a manifest to dir. It refuses a name that leads out of dir.
func local(dir, name string) (string, error) {
	if !filepath.IsLocal(name) {
		return "", fmt.Errorf("reading the cloud assembly in %s: it names %q, which lies outside of it: %s", dir, name, Remedy)
	}
	return filepath.Join(dir, name), nil
}
