// Package experiment is a CDK construct that compares functions of any application. It makes them arms of one
// experiment, and `twinstart run` measures them side by side, in the lab or on AWS.
//
//	e := experiment.NewExperiment(stack, jsii.String("Compare"), &experiment.ExperimentProps{Name: "shop"})
//	e.Add(orders, experiment.Levels{"client": "http"})
//	e.Add(ordersV2, experiment.Levels{"client": "raw"})
//	e.Pair("Checkout", &experiment.PairProps{Code: jsii.String("build/checkout.zip")}) // as ZIP and as image
//	e.Finish()                                                                        // dashboard, tuner
//
// The Metadata of a function's resource says which arm it is. Nothing is parsed out of a name.
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
	"github.com/twinstart/twinstart/infra/cdk"
	"github.com/twinstart/twinstart/infra/dashboard"
	"github.com/twinstart/twinstart/infra/powertuning"
)

// ExperimentProps name an experiment, and say how its functions are shown and tuned.
type ExperimentProps struct {
	// The name in records, metrics and the dashboard's title: letters, digits and single hyphens.
	//
	// Example:
	//   Name: "shop"
	// Required.
	Name string

	// What CloudWatch shows. An empty list that is not nil shows nothing.
	//
	// Default: dashboard.DefaultParts().
	Observe []dashboard.Part

	// Whether to leave out the state machine that tunes the functions' memory. It costs nothing while it is not used.
	//
	// Default: false.
	NoTuning bool

	// The state machine's props; its Functions are the arms.
	//
	// Default: those of powertuning.
	Tuning powertuning.PowerTuningProps
}

// Levels are the levels of a function, by factor. "bootstrap", "package" and "handler" are columns of every report.
// Any other factor is the user's own, and is in each record.
type Levels map[string]string

// Experiment collects functions. When it is finished, it shows and tunes them.
type Experiment struct {
	scope constructs.Construct
	props ExperimentProps
	arms  []dashboard.Arm
}

// name matches the names that CloudWatch accepts in Twinstart/<Name> and CloudFormation accepts in a stack's name.
var name = regexp.MustCompile(`^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$`)

// NewExperiment does what New does, and panics if there is an error, as constructs do.
func NewExperiment(scope constructs.Construct, id *string, props *ExperimentProps) *Experiment {
	return cdk.Must(New(scope, id, props))
}

// New begins an experiment below scope/id.
func New(scope constructs.Construct, id *string, props *ExperimentProps) (*Experiment, error) {
	if props == nil {
		props = &ExperimentProps{}
	}
	if !name.MatchString(props.Name) {
		return nil, fmt.Errorf("experiment %q: prop Name is %q: use letters, digits and single hyphens", *id, props.Name)
	}
	p := *props
	if p.Observe == nil {
		p.Observe = dashboard.DefaultParts()
	}
	return &Experiment{scope: constructs.NewConstruct(scope, id), props: p}, nil
}

// Add makes a function an arm. The arm's name is bootstrap/package if levels has both, or else the function's path
// below its stack. Figures are read from the log, so the function should log in JSON to its own log group, as functions
// of bashfunction and of Pair do.
func (e *Experiment) Add(function awslambda.Function, levels Levels) { e.add(function, levels, "", "") }

func (e *Experiment) add(function awslambda.Function, levels Levels, name, event string) {
	identity := arm.Identity{
		Bootstrap: levels["bootstrap"], Package: arm.Package(levels["package"]), Handler: levels["handler"],
		Levels: maps.Clone(levels), Event: event,
		MemorySizeMB: arm.DefaultMemorySizeMB, Architecture: arm.Architecture(*function.Architecture().Name()),
	}
	for _, column := range []string{"bootstrap", "package", "handler"} {
		delete(identity.Levels, column)
	}
	identity.Arm = arm.ID(cmp.Or(name, identity.Bootstrap), identity.Package)
	if identity.Bootstrap == "" || identity.Package == "" {
		path := strings.TrimPrefix(*function.Node().Path(), *awscdk.Stack_Of(function).Node().Path()+"/")
		identity.Arm = strings.TrimSuffix(path, "/Function")
	}
	identity.Arm = arm.Restored(identity.Arm, levels[arm.SnapStart])
	if memory := cdk.Resource(function).MemorySize(); memory != nil {
		identity.MemorySizeMB = int(*memory)
	}
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

// Finish defines the dashboard, the state machine and the outputs. Call it after all arms are added. Its error is one
// line.
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
		cdk.Output(e.scope, "PowerTuning", tuning.StateMachine.StateMachineArn(),
			"State machine with the input of AWS Lambda Power Tuning")
	}
	// The outputs say what to do with the deployed stack.
	cdk.Output(e.scope, "Region", awscdk.Aws_REGION(), "Region of the functions")
	run := jsii.String("AWS_REGION=${AWS::Region} twinstart run --source aws --out out/aws")
	cdk.Output(e.scope, "Run", awscdk.Fn_Sub(run, nil), "Next: force cold starts, measure, report")
	if slices.Contains(e.props.Observe, dashboard.Widgets) {
		url := jsii.String("https://console.aws.amazon.com/cloudwatch/home?region=${AWS::Region}" +
			"#dashboards/dashboard/${AWS::StackName}-${AWS::Region}")
		cdk.Output(e.scope, "Dashboard", awscdk.Fn_Sub(url, nil), "CloudWatch dashboard")
	}
	return nil
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
