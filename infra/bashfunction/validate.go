package bashfunction

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/handler"
)

// validate checks everything that can be known before anything is built. What it cannot decide becomes a note.
func (p BashFunctionProps) validate() ([]handler.Note, error) {
	for _, check := range []func() error{p.validateOptions, p.validateModel, p.validateCombinations, p.validateProvisioned, p.validateSnapStart, p.validateChoices, p.validateEntry} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	a, err := p.architecture()
	if err != nil {
		return nil, err
	}
	return handler.Handler{Dir: *p.Entry, Name: *p.Handler, Architecture: a, StaticBash: p.Package == arm.ImageMinimal || *p.Bootstrap == "bashtcp-static"}.Check()
}

func (p BashFunctionProps) validateOptions() error {
	if m := p.MemorySize; m != nil && !*awscdk.Token_IsUnresolved(m) && (*m < arm.MinMemoryMB || *m > arm.MaxMemoryMB || *m != float64(int(*m))) {
		return fmt.Errorf("prop MemorySize is %v: use a whole number of MB from %d to %d", *m, arm.MinMemoryMB, arm.MaxMemoryMB)
	}
	if t := p.Timeout; t != nil && !*t.IsUnresolved() {
		s := *t.ToSeconds(&awscdk.TimeConversionOptions{Integral: jsii.Bool(false)})
		if s < arm.MinTimeoutSeconds || s > arm.MaxTimeoutSeconds || s != float64(int(s)) {
			return fmt.Errorf("prop Timeout is %v s: use whole seconds from %d to %d", s, arm.MinTimeoutSeconds, arm.MaxTimeoutSeconds)
		}
	}
	if p.LogRetention != "" || p.LogRemovalPolicy != "" { //nolint:staticcheck // deprecated ones are what this is about
		return errors.New("props LogRetention and LogRemovalPolicy are about a log group that Lambda makes: give LogGroup one with the retention and removal policy that you want")
	}
	return nil
}

// validateCombinations refuses options that Lambda or the CDK would refuse later, or ignore.
func (p BashFunctionProps) validateCombinations() error {
	if s := p.EphemeralStorageSize; s != nil && !*s.IsUnresolved() {
		if mb := *s.ToMebibytes(&awscdk.SizeConversionOptions{Rounding: awscdk.SizeRoundingBehavior_NONE}); mb < arm.MinTmpMB || mb > arm.MaxTmpMB || mb != float64(int(mb)) {
			return fmt.Errorf("prop EphemeralStorageSize is %v MB: use a whole number of MB from %d to %d", mb, arm.MinTmpMB, arm.MaxTmpMB)
		}
	}
	if r := p.ReservedConcurrentExecutions; r != nil && !*awscdk.Token_IsUnresolved(r) && (*r < 0 || *r != float64(int(*r))) {
		return fmt.Errorf("prop ReservedConcurrentExecutions is %v: use a whole number, or leave it out for no limit of the function's own", *r)
	}
	if p.Vpc == nil && (p.VpcSubnets != nil || p.SecurityGroups != nil || p.AllowPublicSubnet != nil) {
		return errors.New("props VpcSubnets, SecurityGroups and AllowPublicSubnet are about a VPC: set prop Vpc, or leave them out")
	}
	disabled := p.DeadLetterQueueEnabled != nil && !*p.DeadLetterQueueEnabled
	if p.DeadLetterQueue != nil && (disabled || p.DeadLetterTopic != nil) || p.DeadLetterTopic != nil && p.DeadLetterQueueEnabled != nil && !disabled {
		return errors.New("props DeadLetterQueue, DeadLetterTopic and DeadLetterQueueEnabled contradict each other: set one of them")
	}
	if p.Package != arm.ZIP && p.Layers != nil && len(*p.Layers) > 0 {
		return fmt.Errorf("prop Layers is for ZIP files and prop Package is %s: copy what the layers hold into the image, or use package %s", p.Package, arm.ZIP)
	}
	return nil
}

func (p BashFunctionProps) validateChoices() error {
	if _, err := p.architecture(); err != nil {
		return err
	}
	if !slices.Contains(arm.Packages(), p.Package) {
		return fmt.Errorf("unknown package %q: use %s", p.Package, joined(arm.Packages(), func(p arm.Package) string { return string(p) }))
	}
	named := func(b packages.Bootstrap) string { return b.Name }
	if !slices.ContainsFunc(packages.Bootstraps(), func(b packages.Bootstrap) bool { return b.Name == *p.Bootstrap }) {
		return fmt.Errorf("unknown bootstrap %q: use %s", *p.Bootstrap, joined(packages.Bootstraps(), named))
	}
	return nil
}

// architecture returns the CDK's architecture as an arm.Architecture.
func (p BashFunctionProps) architecture() (arm.Architecture, error) {
	return arm.ParseArchitecture(*p.Architecture.Name())
}

func (p BashFunctionProps) validateEntry() error {
	if *p.Entry == "" {
		return errors.New(`prop Entry is missing: set it to the folder that holds handler.sh, such as "handlers/hello"`)
	}
	info, err := os.Stat(*p.Entry)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("prop Entry: there is no folder %s: create it or correct the path%s", *p.Entry, startsAt(*p.Entry))
	case err != nil:
		return fmt.Errorf("prop Entry: %w", err)
	case !info.IsDir():
		return fmt.Errorf("prop Entry: %s is a file: name its folder, and the file in Handler", *p.Entry)
	}
	return nil
}

// startsAt says where a relative path starts, because that is a common mistake.
func startsAt(path string) string {
	dir, err := os.Getwd()
	if err != nil || filepath.IsAbs(path) {
		return ""
	}
	return " (it starts at " + dir + ")"
}

func joined[T any](items []T, name func(T) string) string {
	return strings.Join(list.Map(items, name), ", ")
}
