// Package step holds what the tuning state machine and the program that runs its states agree on. It imports nothing, so that a CDK app
// with the state machine in it compiles without the AWS SDK.
package step

// Name is a state of the state machine.
type Name string

// The states that run the program, in their order; what they take and give is in package tune.
const (
	Initialise Name = "initialise" // Input -> Plan
	Publish    Name = "publish"    // Plan -> Plan, as often as Plan.Unpublished
	Execute    Name = "execute"    // Plan, Group, Progress -> Measured, as often as Measured.More
	Clean      Name = "clean"      // on success, on failure, and after an execution was stopped
	Analyse    Name = "analyse"    // Measured of all groups -> Output
	Optimise   Name = "optimise"   // Output -> Output
)

// What the program may do: actions of IAM on the functions that it tunes, and on their versions and aliases. Without a qualifier
// DeleteFunction would be about the function.
var (
	OnFunctions = []string{"lambda:UpdateFunctionConfiguration", "lambda:PublishVersion", "lambda:ListVersionsByFunction", "lambda:ListAliases",
		"lambda:GetFunctionConfiguration", "lambda:CreateAlias", "lambda:UpdateAlias", "lambda:DeleteAlias"}
	OnVersions = []string{"lambda:GetFunctionConfiguration", "lambda:InvokeFunction", "lambda:DeleteFunction", "lambda:CreateAlias", "lambda:UpdateAlias", "lambda:DeleteAlias"}
)

// Retries is how often a state is tried again after an error of the service.
const Retries = 3
