package bashfunction

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/handler"
)

// validate checks everything that can be known before anything is built. It returns notes about what it cannot decide.
func (p BashFunctionProps) validate() ([]handler.Note, error) {
	for _, check := range []func() error{
		p.validateOptions, p.validateModel, p.validateCombinations,
		p.validateProvisioned, p.validateSnapStart, p.validateChoices, p.validateEntry,
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	a, _ := p.architecture() // validateChoices has checked it
	static := p.Package == arm.ImageMinimal || *p.Bootstrap == "bashtcp-static"
	return handler.Handler{Dir: *p.Entry, Name: *p.Handler, Architecture: a, StaticBash: static}.Check()
}

// whole reports whether v is a whole number within bounds.
func whole(v, least, most float64) bool { return v >= least && v <= most && v == math.Trunc(v) }

// validateOptions checks the numbers among the options of any function.
func (p BashFunctionProps) validateOptions() error {
	const form = "prop %s is %v: use a whole number of %s from %d to %d"
	if m := p.MemorySize; m != nil && !*awscdk.Token_IsUnresolved(m) && !whole(*m, arm.MinMemoryMB, arm.MaxMemoryMB) {
		return fmt.Errorf(form, "MemorySize", *m, "MB", arm.MinMemoryMB, arm.MaxMemoryMB)
	}
	if t := p.Timeout; t != nil && !*t.IsUnresolved() {
		s := *t.ToSeconds(&awscdk.TimeConversionOptions{Integral: jsii.Bool(false)})
		if !whole(s, arm.MinTimeoutSeconds, arm.MaxTimeoutSeconds) {
			return fmt.Errorf(form, "Timeout", s, "seconds", arm.MinTimeoutSeconds, arm.MaxTimeoutSeconds)
		}
	}
	if s := p.EphemeralStorageSize; s != nil && !*s.IsUnresolved() {
		mb := *s.ToMebibytes(&awscdk.SizeConversionOptions{Rounding: awscdk.SizeRoundingBehavior_NONE})
		if !whole(mb, arm.MinTmpMB, arm.MaxTmpMB) {
			return fmt.Errorf(form, "EphemeralStorageSize", mb, "MB", arm.MinTmpMB, arm.MaxTmpMB)
		}
	}
	r := p.ReservedConcurrentExecutions
	if r != nil && !*awscdk.Token_IsUnresolved(r) && !whole(*r, 0, math.MaxInt32) {
		return fmt.Errorf("prop ReservedConcurrentExecutions is %v: use a whole number, or leave it out for no limit", *r)
	}
	return nil
}

// validateCombinations refuses options that Lambda or the CDK would refuse later, or ignore.
func (p BashFunctionProps) validateCombinations() error {
	if p.LogRetention != "" || p.LogRemovalPolicy != "" { //nolint:staticcheck // deprecated, and refused here
		return errors.New("props LogRetention and LogRemovalPolicy are for a log group that Lambda makes: " +
			"set them on a log group, and give that as LogGroup")
	}
	if p.Vpc == nil && (p.VpcSubnets != nil || p.SecurityGroups != nil || p.AllowPublicSubnet != nil) {
		return errors.New("props VpcSubnets, SecurityGroups and AllowPublicSubnet need a VPC: set Vpc, or leave them out")
	}
	queue, topic, enabled := p.DeadLetterQueue != nil, p.DeadLetterTopic != nil, p.DeadLetterQueueEnabled
	if queue && (topic || enabled != nil && !*enabled) || topic && enabled != nil && *enabled {
		return errors.New("props DeadLetterQueue, DeadLetterTopic and DeadLetterQueueEnabled conflict: set one of them")
	}
	if p.Package != arm.ZIP && p.Layers != nil && len(*p.Layers) > 0 {
		return fmt.Errorf("prop Layers is for ZIP files and prop Package is %s: copy the layers' files into the image, "+
			"or use package %s", p.Package, arm.ZIP)
	}
	return nil
}

// validateChoices checks the props that take one of a few values.
func (p BashFunctionProps) validateChoices() error {
	if _, err := p.architecture(); err != nil {
		return err
	}
	if !slices.Contains(arm.Packages(), p.Package) {
		kinds := list.Map(arm.Packages(), func(p arm.Package) string { return string(p) })
		return fmt.Errorf("unknown package %q: use %s", p.Package, strings.Join(kinds, ", "))
	}
	names := list.Map(packages.Bootstraps(), func(b packages.Bootstrap) string { return b.Name })
	if !slices.Contains(names, *p.Bootstrap) {
		return fmt.Errorf("unknown bootstrap %q: use %s", *p.Bootstrap, strings.Join(names, ", "))
	}
	return nil
}

// architecture returns the CDK's architecture as an arm.Architecture.
func (p BashFunctionProps) architecture() (arm.Architecture, error) {
	return arm.ParseArchitecture(*p.Architecture.Name())
}
