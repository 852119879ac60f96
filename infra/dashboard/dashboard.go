package dashboard

import (
	"fmt"

	"github.com/aws/constructs-go/constructs/v10"

	"github.com/twinstart/twinstart/arm"
)

// NewDashboard defines what New does, and panics with New's error, as constructs do.
func NewDashboard(scope constructs.Construct, id *string, props *DashboardProps) constructs.Construct {
	this, err := New(scope, id, props)
	if err != nil {
		panic(err)
	}
	return this
}

// New defines the parts that props ask for below scope/id. Nothing has been added to the scope when it returns an error, which is one
// line.
//
// Its resources are CDK's L1 constructs: 26 arms have 160 of them, and an L2 construct costs a synth three times as much.
func New(scope constructs.Construct, id *string, props *DashboardProps) (constructs.Construct, error) {
	if props == nil {
		props = &DashboardProps{}
	}
	p := props.withDefaults()
	if err := p.validate(); err != nil {
		return nil, fmt.Errorf("dashboard %q: %w", *id, err)
	}
	this := constructs.NewConstruct(scope, id)
	c := parts{scope: this, DashboardProps: p}
	for _, a := range p.Arms { // once: each question is a call to another process
		c.groups = append(c.groups, a.LogGroup.LogGroupRef().LogGroupName)
		c.architectures = append(c.architectures, architecture(a))
	}
	c.filters()
	if p.has(Widgets) {
		c.widgets()
	}
	if p.has(Alarms) {
		c.alarms()
	}
	if p.has(Queries) {
		c.queries()
	}
	if p.has(Contributors) {
		c.contributors()
	}
	return this, nil
}

// parts defines the parts, each in a file of its own.
type parts struct {
	scope constructs.Construct
	DashboardProps
	groups        []*string          // names of the arms' log groups
	architectures []arm.Architecture // of the arms
}

// architecture is what the arm's identity says, else its function.
func architecture(a Arm) arm.Architecture {
	if a.Identity.Architecture != "" {
		return a.Identity.Architecture
	}
	return arm.Architecture(*a.Function.Architecture().Name())
}
