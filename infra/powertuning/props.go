package powertuning

import (
	"errors"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"

	"github.com/twinstart/twinstart/bench/measure/power/step"
)

// PowerTuningProps says what may be tuned. Only Functions is required.
type PowerTuningProps struct {
	// The functions that executions may tune: their memory is changed, versions are published and invoked.
	//
	// Example:
	//   Functions: []awslambda.IFunction{hello, orders}
	// Required.
	Functions []awslambda.IFunction

	// Functions that an execution may name as preProcessorARN or postProcessorARN.
	//
	// Default: none.
	Processors []awslambda.IFunction

	// Power values, MB, of executions whose input has none.
	//
	// Default: those of Power Tuning (DefaultPowerValues of package tune).
	PowerValues []int

	// The bucket that payloadS3 may name, for reading.
	//
	// Default: none; payloads stand in the input.
	PayloadBucket awss3.IBucket

	// The instruction set of the steps' own function, not of those it tunes.
	//
	// Default: arm64, the cheaper one.
	Architecture awslambda.Architecture

	// Whether executions send segments to X-Ray, and so cost by the trace.
	//
	// Default: false.
	Tracing bool

	// Environment variables of the steps' function.
	//
	// Example:
	//   Environment: map[string]*string{"AWS_ENDPOINT_URL_LAMBDA": jsii.String("http://...")} // tests
	// Default: none.
	Environment map[string]*string

	// The steps' program, where it is built already.
	//
	// Default: cmd/tunestep, built by go build.
	Code awslambda.Code

	// The folder where `go build` is run for the steps' function: one whose module requires github.com/twinstart/twinstart, or is it.
	//
	// Default: the working folder, which under the CDK CLI is the one that holds cdk.json.
	ModuleDir string
}

func (p *PowerTuningProps) validate() error {
	if p == nil || len(p.Functions) == 0 {
		return errors.New("prop Functions is empty: name the functions that may be tuned")
	}
	if n := len(p.Functions); n > maxFunctions {
		return fmt.Errorf("prop Functions has %d functions: a role has room for the rights on %d: define a second PowerTuning", n, maxFunctions)
	}
	for i, f := range p.Functions {
		if f == nil {
			return fmt.Errorf("prop Functions: number %d is nil", i+1)
		}
	}
	for _, v := range p.PowerValues {
		if v < step.MinPower || v > step.MaxPower {
			return fmt.Errorf("prop PowerValues holds %d: use whole numbers of MB from %d to %d", v, step.MinPower, step.MaxPower)
		}
	}
	return nil
}
