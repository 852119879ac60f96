// Command tuner is a CDK app with one stack, the tuning state machine. `make deploy-tuner FUNCTIONS='orders-*,arn:...'`
// deploys it. `make tuner-template` makes a plain template and the program, for CloudFormation, SAM and Terraform.
//
//	FUNCTIONS=PATTERN[,PATTERN]   names or ARNs of the functions that may be tuned, * for any text
//	TEMPLATE=DIR                  where the plain template goes; its parameter is the functions' pattern
//	ARCHITECTURE=arm64            the instruction set of the tuner's own function, not of those it tunes
package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/infra/cdk"
	"github.com/twinstart/twinstart/infra/powertuning"
	_ "github.com/twinstart/twinstart/infra/quietnode"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/archive"
)

const stackName = "Twinstart-Tuner"

func main() {
	app := awscdk.NewApp(cdk.AppProps())
	err := define(app, os.Getenv("FUNCTIONS"), nil)
	if err == nil {
		assembly := app.Synth(nil)
		if dir := os.Getenv("TEMPLATE"); dir != "" {
			err = pack(*assembly.Directory(), dir)
		}
	}
	jsii.Close()
	if err != nil {
		fmt.Fprintln(os.Stderr, "twinstart:", err)
		os.Exit(2)
	}
}

// program is the file with the steps' program, beside a plain template. `aws cloudformation package` and `sam deploy`
// upload it from there.
const program = "tunestep.zip"

// define adds the stack. Without functions it is a plain template, with a parameter for their names. If code is
// nil, the program is built.
func define(app awscdk.App, functions string, code awslambda.Code) error {
	props := &awscdk.StackProps{StackName: jsii.String(stackName), Description: jsii.String(
		"Power tuning of Lambda functions: finds the memory size that is cheapest, fastest, or the best of both")}
	if functions == "" {
		plain := awscdk.DefaultStackSynthesizerProps{GenerateBootstrapVersionRule: jsii.Bool(false)}
		props.Synthesizer = awscdk.NewDefaultStackSynthesizer(&plain)
	}
	stack := awscdk.NewStack(app, jsii.String(stackName), props)
	words := list.Map(strings.Split(functions, ","), strings.TrimSpace)
	patterns := slices.DeleteFunc(words, func(word string) bool { return word == "" })
	if len(patterns) == 0 {
		names := awscdk.NewCfnParameter(stack, jsii.String("FunctionNames"), &awscdk.CfnParameterProps{
			AllowedPattern: jsii.String("[A-Za-z0-9_*?-]+"), MaxLength: jsii.Number(140),
			Description: jsii.String("Names of the functions that may be tuned, in this account and all its regions. orders-* " +
				"means all names that start with orders-. With * the tuner may change, publish and invoke every function there."),
		})
		patterns = []string{*names.ValueAsString()}
	}
	if functions == "*" {
		fmt.Fprintln(os.Stderr, "FUNCTIONS='*': whoever may start the state machine may, through it, change the "+
			"configuration of every function in the account, and publish, invoke and delete versions of each")
	}
	architecture := awslambda.Architecture_Custom(jsii.String(cmp.Or(os.Getenv("ARCHITECTURE"), "arm64")), nil)
	tuning, err := powertuning.New(stack, jsii.String("Tuning"), &powertuning.PowerTuningProps{
		Patterns: patterns, Code: code, Architecture: architecture,
	})
	if err != nil {
		return err
	}
	if functions == "" {
		cdk.Resource(tuning.Function).AddPropertyOverride(jsii.String("Code"), program)
	}
	arn := tuning.StateMachine.StateMachineArn()
	cdk.Output(stack, "StateMachine", arn, "Takes the input of AWS Lambda Power Tuning")
	cdk.Output(stack, "Start", jsii.String("aws stepfunctions start-execution --state-machine-arn "+*arn+
		` --input '{"lambdaARN": "NAME or ARN", "num": 50, "payload": {}}'`), "Starts a tuning")
	return nil
}

// pack turns the assembly into what CloudFormation, SAM and Terraform take: template.json, and the program beside it.
func pack(assembly, out string) error {
	template, err := os.ReadFile(filepath.Join(assembly, stackName+".template.json"))
	if err != nil {
		return err
	}
	programs, err := filepath.Glob(filepath.Join(assembly, "asset.*", "bootstrap"))
	if err == nil && len(programs) != 1 {
		err = fmt.Errorf("%s has %d assets with a bootstrap, one was expected", assembly, len(programs))
	}
	if err != nil {
		return err
	}
	if err := packages.ZIPOf(filepath.Join(out, program), programs[0]); err != nil {
		return err
	}
	return archive.ReplaceFile(filepath.Join(out, "template.json"), 0o644, template)
}
