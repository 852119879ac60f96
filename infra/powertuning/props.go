package powertuning

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"

	"github.com/twinstart/twinstart/arm"
)

// PowerTuningProps names what may be tuned: by Functions, by Patterns, or, in other accounts, by AssumeRoles.
type PowerTuningProps struct {
	// The functions that executions may tune: their memory is changed, versions are published and invoked.
	//
	// Example:
	//   Functions: []awslambda.IFunction{hello, orders}
	// Default: none; then Patterns or AssumeRoles are required.
	Functions []awslambda.IFunction

	// Functions by name or ARN, with * for any text. A name means the functions of the stack's account in every region.
	//
	// Example:
	//   Patterns: []string{"orders-*", "arn:aws:lambda:eu-west-1:123456789012:function:hello"}
	// Default: none. With "*", whoever may start the state machine may tune every function of the account.
	Patterns []string

	// Keys that encrypt the environment variables of those functions. To update or publish a function takes rights on
	// its key.
	//
	// Default: none.
	EnvironmentKeys []awskms.IKey

	// ARNs of roles that an execution may name as assumeRoleARN, to tune functions of other accounts. They must trust
	// this construct's function and have its rights on the functions.
	//
	// Default: none.
	AssumeRoles []string

	// Functions that an execution may name as preProcessorARN or postProcessorARN.
	//
	// Default: none.
	Processors []awslambda.IFunction

	// Power values, in MB, for executions whose input has none.
	//
	// Default: those of Power Tuning (DefaultPowerValues of package power).
	PowerValues []int

	// The bucket from which executions may read their payload (payloadS3).
	//
	// Default: none; the payload is in the input.
	PayloadBucket awss3.IBucket

	// The instruction set of the steps' own function, not of those it tunes.
	//
	// Default: arm64, the cheaper one.
	Architecture awslambda.Architecture

	// Whether executions send segments to X-Ray, which bills by the trace.
	//
	// Default: false.
	Tracing bool

	// The program of the steps, if you have built it.
	//
	// Default: cmd/tunestep, built by go build.
	Code awslambda.Code

	// The folder in which `go build` builds the program of the steps. It must be in a module that requires
	// github.com/twinstart/twinstart, or in that module.
	//
	// Default: the working folder. Under the CDK CLI that is the folder with cdk.json.
	ModuleDir string
}

// functionPattern matches a function's name or ARN, with * for any text.
var functionPattern = regexp.MustCompile(`^(arn:[a-z*-]+:lambda:[a-z0-9*-]+:[0-9*]+:function:)?[A-Za-z0-9_*?-]{1,140}$`)

// complete returns valid props with their defaults. It builds the program of the steps if there is none.
func (p *PowerTuningProps) complete() (*PowerTuningProps, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	c := *p
	c.Architecture = cmp.Or(c.Architecture, awslambda.Architecture_ARM_64())
	if c.Code == nil {
		dir, err := Build(c.ModuleDir, *c.Architecture.Name())
		if err != nil {
			return nil, err
		}
		c.Code = awslambda.Code_FromAsset(&dir, nil)
	}
	return &c, nil
}

func (p *PowerTuningProps) validate() error {
	if p == nil || len(p.Functions)+len(p.Patterns)+len(p.AssumeRoles) == 0 {
		return errors.New("props Functions, Patterns and AssumeRoles are empty: name the functions that may be tuned")
	}
	if n := len(p.Functions) + len(p.Patterns); n > maxFunctions {
		return fmt.Errorf("props Functions and Patterns have %d functions: a role has room for the rights on %d: "+
			"use patterns, such as orders-*, or define a second PowerTuning", n, maxFunctions)
	}
	for _, pattern := range p.Patterns {
		if !*awscdk.Token_IsUnresolved(pattern) && !functionPattern.MatchString(pattern) {
			return fmt.Errorf("prop Patterns holds %q: use functions' names or ARNs, without version, * for any text", pattern)
		}
	}
	for i, f := range p.Functions {
		if f == nil {
			return fmt.Errorf("prop Functions: number %d is nil", i+1)
		}
	}
	for _, v := range p.PowerValues {
		if v < arm.MinMemoryMB || v > arm.MaxMemoryMB {
			return fmt.Errorf("prop PowerValues holds %d: use whole MB from %d to %d", v, arm.MinMemoryMB, arm.MaxMemoryMB)
		}
	}
	return nil
}
