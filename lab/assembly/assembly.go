// Package assembly reads a synthesized cloud assembly (cdk.out) for the lab and the measuring driver: which
// functions exist, how they are named and configured, and where their deployment packages are.
//
// It reads the files that the CDK CLI deploys (manifest.json, the stack's template, its assets.json), so the lab
// runs what would be deployed. It does not link the CDK.
package assembly

import (
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
	"github.com/twinstart/twinstart/arm/list"
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
	Tables      []Table           // DynamoDB's, in the same order
	NotMeasured []arm.NotMeasured // from the template's Metadata, and functions that cannot be read
	Template    string            // path of the template
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

// Read reads the assembly in dir with all its stacks. A stack without functions is an error of Stack, not of Read.
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
	if err = json.Unmarshal(text, &m); err == nil && (m.Version == "" || m.Artifacts == nil) {
		err = errors.New("it has no version, or no artifacts")
	}
	if err != nil {
		return fmt.Errorf("%s is not a cloud assembly's manifest (%w): %s", path, err, Remedy)
	}
	for _, id := range slices.Sorted(maps.Keys(m.Artifacts)) {
		switch art := m.Artifacts[id]; art.Type {
		case "aws:cloudformation:stack":
			var stack Stack
			stack, err = readStack(dir, id, art)
			a.Stacks = append(a.Stacks, stack)
		case "cdk:cloud-assembly":
			var nested string
			if nested, err = local(dir, art.Properties.DirectoryName); err == nil {
				err = a.read(nested)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Stack returns a stack by name. If the name is empty, it returns the only stack that has functions.
func (a *Assembly) Stack(name string) (*Stack, error) {
	if i := slices.IndexFunc(a.Stacks, func(s Stack) bool { return s.Name == name }); i >= 0 {
		return &a.Stacks[i], a.Stacks[i].check(a.Dir)
	}
	trouble, choices := fmt.Sprintf("no stack %q", name), a.Stacks
	if name == "" {
		trouble = "several stacks"
		choices = slices.DeleteFunc(slices.Clone(a.Stacks), func(s Stack) bool { return len(s.Functions) == 0 })
	}
	switch {
	case len(a.Stacks) == 0:
		return nil, fmt.Errorf("the cloud assembly in %s has no stack: %s", a.Dir, Remedy)
	case len(choices) == 0:
		withReason := slices.IndexFunc(a.Stacks, func(s Stack) bool { return len(s.NotMeasured) > 0 })
		return nil, a.Stacks[max(0, withReason)].check(a.Dir)
	case name == "" && len(choices) == 1:
		return &choices[0], nil
	}
	names := strings.Join(list.Map(choices, func(s Stack) string { return s.Name }), ", ")
	return nil, fmt.Errorf("%s in %s: choose one of %s with --stack", trouble, a.Dir, names)
}

// check returns why there is nothing to measure in the stack, or nil.
func (s *Stack) check(dir string) error {
	switch {
	case len(s.Functions) > 0:
		return nil
	case len(s.NotMeasured) > 0:
		return fmt.Errorf("nothing to measure in stack %s of %s: %s", s.Name, dir, arm.Reasons(s.NotMeasured))
	}
	return fmt.Errorf("stack %s of %s has no AWS::Lambda::Function: choose another with --stack or --assembly, "+
		"or give a package (twinstart run f.zip)", s.Name, dir)
}

// local joins a name from a manifest to dir. It refuses a name that leads out of dir.
func local(dir, name string) (string, error) {
	if !filepath.IsLocal(name) {
		return "", fmt.Errorf("reading the cloud assembly in %s: it names %q, which lies outside of it: %s",
			dir, name, Remedy)
	}
	return filepath.Join(dir, name), nil
}
