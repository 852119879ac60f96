// Package experiment is a CDK construct that compares functions of anybody's application: it makes them arms of one
// experiment, which `twinstart run` measures side by side, in the lab or on AWS.
//
//	e := experiment.NewExperiment(stack, jsii.String("Compare"), &experiment.ExperimentProps{Name: "shop"})
//	e.Add(orders, experiment.Levels{"client": "http"})
//	e.Add(ordersV2, experiment.Levels{"client": "raw"})
//	e.Pair("Checkout", &experiment.PairProps{Code: jsii.String("build/checkout.zip"), Handler: jsii.String("bootstrap")}) // as ZIP and as image
//	e.Finish()                                                                                  // dashboard, tuner
//
// What an arm is stands in the Metadata of its function's resource: nothing is parsed out of a name.
package experiment

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/dashboard"
	"github.com/twinstart/twinstart/infra/powertuning"
)

// ExperimentProps says what the functions have in common.
type ExperimentProps struct {
	// What the experiment is called, in records, metrics and the dashboard's title: letters, digits and single hyphens.
	//
	// Example:
	//   Name: "shop"
	// Required.
	Name string

	// What CloudWatch shows. An empty list that is not nil shows nothing.
	//
	// Default: dashboard.DefaultParts().
	Observe []dashboard.Part

	// Whether to leave out the state machine that tunes the functions' memory. It costs nothing until it is started.
	//
	// Default: false.
	NoTuning bool

	// The state machine's props; its Functions are the arms.
	//
	// Default: those of powertuning.
	Tuning powertuning.PowerTuningProps
}

// Levels are the levels of a function, by factor. "bootstrap", "package" and "handler" are columns of every report.
// Any other factor belongs to the user and is in each record.
type Levels map[string]string

// Experiment collects functions. When it is finished, it shows and tunes them.
type Experiment struct {
	scope constructs.Construct
	props ExperimentProps
	arms  []dashboard.Arm
}

// name makes sure that CloudWatch and CloudFormation accept Twinstart/<Name> and the name of the stack.
var name = regexp.MustCompile(`^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$`)

// NewExperiment does what New does, and panics if there is an error, as constructs do.
func NewExperiment(scope constructs.Construct, id *string, props *ExperimentProps) *Experiment {
	e, err := New(scope, id, props)
	if err != nil {
		panic(err)
	}
	return e
}

// New begins an experiment below scope/id.
func New(scope constructs.Construct, id *string, props *ExperimentProps) (*Experiment, error) {
	if props == nil {
		props = &ExperimentProps{}
	}
	if !name.MatchString(props.Name) {
		return nil, fmt.Errorf("experiment %q: prop Name is %q: use letters, digits and single hyphens, as in night-run-2", *id, props.Name)
	}
	p := *props
	if p.Observe == nil {
		p.Observe = dashboard.DefaultParts()
	}
	return &Experiment{scope: constructs.NewConstruct(scope, id), props: p}, nil
}

// Add makes a function an arm. Its name is bootstrap/package if levels have both, else the function's path below its
// stack. The function should log in JSON to a log group of its own, as those of bashfunction and of Pair do: figures
// are read from there.
func (e *Experiment) Add(function awslambda.Function, levels Levels) { e.add(function, levels, "", "") }

func (e *Experiment) add(function awslambda.Function, levels Levels, name, event string) {
	identity := arm.Identity{
		Bootstrap: levels["bootstrap"], Package: arm.Package(levels["package"]), Handler: levels["handler"], Levels: maps.Clone(levels), Event: event,
	}
	maps.DeleteFunc(identity.Levels, func(factor, _ string) bool {
		return factor == "bootstrap" || factor == "package" || factor == "handler"
	})
	if identity.Arm = arm.ID(cmp.Or(name, identity.Bootstrap), identity.Package); identity.Bootstrap == "" || identity.Package == "" {
		identity.Arm = strings.TrimSuffix(strings.TrimPrefix(*function.Node().Path(), *awscdk.Stack_Of(function).Node().Path()+"/"), "/Function")
	}
	identity.Arm = arm.Restored(identity.Arm, levels[arm.SnapStart])
	resource := function.Node().DefaultChild().(awslambda.CfnFunction)
	identity.MemorySizeMB = arm.DefaultMemorySizeMB
	if memory := resource.MemorySize(); memory != nil {
		identity.MemorySizeMB = int(*memory)
	}
	identity.Architecture = arm.Architecture(*function.Architecture().Name())
	e.AddIdentity(function, identity)
}

// AddIdentity makes a function an arm with a given identity. It sets the identity's Experiment.
func (e *Experiment) AddIdentity(function awslambda.Function, identity arm.Identity) {
	identity.Experiment = e.props.Name
	bashfunction.Identify(function, identity)
	e.arms = append(e.arms, dashboard.Arm{Function: function, LogGroup: function.LogGroup(), Identity: identity})
}

// Arms returns the functions that were added so far.
func (e *Experiment) Arms() []dashboard.Arm { return slices.Clone(e.arms) }

// Finish defines the dashboard, the state machine and the outputs, once all arms are added. Its error is one line.
func (e *Experiment) Finish() error {
	if len(e.arms) == 0 {
		return errors.New("experiment " + e.props.Name + " has no arms: Add a function before Finish")
	}
	var groups dashboard.Chain
	seen := map[string]bool{}
	for _, a := range e.arms {
		if group := logGroup(a); group != nil && !seen[*group.Node().Path()] {
			seen[*group.Node().Path()] = true
			groups.Add(group)
		}
	}
	if len(e.props.Observe) > 0 {
		props := &dashboard.DashboardProps{Experiment: e.props.Name, Arms: e.arms, Parts: e.props.Observe}
		if _, err := dashboard.New(e.scope, jsii.String("CloudWatch"), props); err != nil {
			return err
		}
	}
	if !e.props.NoTuning {
		for _, a := range e.arms {
			e.props.Tuning.Functions = append(e.props.Tuning.Functions, a.Function)
		}
		tuning, err := powertuning.New(e.scope, jsii.String("Tuning"), &e.props.Tuning)
		if err != nil {
			return err
		}
		e.output("PowerTuning", tuning.StateMachine.StateMachineArn(), "State machine with the input of AWS Lambda Power Tuning")
	}
	// The outputs say what to do with the deployed stack.
	e.output("Region", awscdk.Aws_REGION(), "Region of the functions")
	e.output("Run", awscdk.Fn_Sub(jsii.String("AWS_REGION=${AWS::Region} twinstart run --source aws --out out/aws"), nil),
		"Next: force cold starts, measure, report")
	if slices.Contains(e.props.Observe, dashboard.Widgets) {
		e.output("Dashboard", awscdk.Fn_Sub(jsii.String("https://console.aws.amazon.com/cloudwatch/home?region=${AWS::Region}"+
			"#dashboards/dashboard/${AWS::StackName}-${AWS::Region}"), nil), "CloudWatch dashboard")
	}
	return nil
}

// output has its id as its name, whatever construct it is in.
func (e *Experiment) output(id string, value *string, description string) {
	awscdk.NewCfnOutput(e.scope, &id, &awscdk.CfnOutputProps{Value: value, Description: &description}).OverrideLogicalId(&id)
}

// logGroup returns the resource of an arm's log group, or nil if the group is not in this application.
func logGroup(a dashboard.Arm) awscdk.CfnResource {
	group, ok := a.LogGroup.(constructs.IConstruct)
	if !ok {
		return nil
	}
	resource, _ := group.Node().DefaultChild().(awscdk.CfnResource)
	return resource
}
