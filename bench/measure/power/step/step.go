// Package step has what the tuning state machine and the program behind its states must agree on: the states' names,
// and the program's rights. It imports nothing, so a CDK app with the state machine compiles without the AWS SDK.
package step

// Name is a state of the state machine.
type Name string

// The states that call the program, in order. Package power has the types of their input and output.
const (
	Initialise Name = "initialise" // Input -> Plan
	Publish    Name = "publish"    // Plan -> Plan, as often as Plan.Unpublished
	Execute    Name = "execute"    // Plan, Group, Progress -> Measured, as often as Measured.More
	Clean      Name = "clean"      // on success, on failure, and after an execution was stopped
	Analyse    Name = "analyse"    // Measured of all groups -> Output
	Optimise   Name = "optimise"   // Output -> Output
)

// The IAM actions that the program may take on the functions that it tunes, and on their versions and aliases.
// Without a qualifier, DeleteFunction would delete the function.
var (
	OnFunctions = []string{"lambda:UpdateFunctionConfiguration", "lambda:PublishVersion", "lambda:ListVersionsByFunction",
		"lambda:GetFunctionConfiguration", "lambda:CreateAlias", "lambda:UpdateAlias"}
	OnVersions = []string{"lambda:GetFunctionConfiguration", "lambda:InvokeFunction", "lambda:DeleteFunction",
		"lambda:CreateAlias", "lambda:UpdateAlias"}
)

// Retries is how often a state is repeated after an error of the service.
const Retries = 3
