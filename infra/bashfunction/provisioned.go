package bashfunction

import (
	"errors"
	"fmt"
	"math"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
)

// Provisioned keeps execution environments initialized. As long as there are enough of them, invocations of the alias
// see no cold start. Lambda bills for them by the second, used or not: see docs/options.md.
type Provisioned struct {
	// The number of environments, at least 1.
	Min *float64

	// If Max is greater than Min, Application Auto Scaling changes the number between the two to keep utilization at 70 %.
	//
	// Default: Min, a fixed number.
	Max *float64

	// The alias that has the environments. It points at the function's current version, because $LATEST cannot have any.
	//
	// Default: DefaultAlias.
	Alias *string
}

// DefaultAlias is the alias for Provisioned, SnapStart and URL.
const DefaultAlias = "live"

// utilizationTarget leaves room for the minutes in which Lambda initializes more environments.
const utilizationTarget = 0.7

func (p BashFunctionProps) validateProvisioned() error {
	if p.Provisioned == nil {
		return nil
	}
	least, most := p.Provisioned.Bounds()
	switch alias := p.Provisioned.alias(); {
	case alias == "$LATEST":
		return errors.New("prop Provisioned.Alias is $LATEST, which cannot have provisioned concurrency: " +
			"name an alias, or leave it out for " + DefaultAlias)
	case !arm.IsAlias(alias):
		return fmt.Errorf("prop Provisioned.Alias is %q: use letters, digits, - and _, and not digits alone", alias)
	case !whole(least, 1, math.MaxInt32) || !whole(most, least, math.MaxInt32):
		return fmt.Errorf("prop Provisioned is %v to %v: use whole numbers from 1, with Max not below Min", least, most)
	}
	if r := p.ReservedConcurrentExecutions; r != nil && most > *r {
		return fmt.Errorf("prop Provisioned asks for %v environments and prop ReservedConcurrentExecutions allows %v: "+
			"raise the latter, or ask for fewer environments", most, *r)
	}
	return nil
}

// Bounds returns Min and Max with their defaults.
func (p *Provisioned) Bounds() (least, most float64) {
	if p.Min != nil {
		least, most = *p.Min, *p.Min
	}
	if p.Max != nil {
		most = *p.Max
	}
	return least, most
}

func (p *Provisioned) alias() string {
	if p == nil || p.Alias == nil {
		return DefaultAlias
	}
	return *p.Alias
}

// Of makes the alias that SnapStart and provisioned concurrency need, because $LATEST has neither. For SnapStart, p is
// nil.
func (p *Provisioned) Of(this constructs.Construct, function awslambda.Function) awslambda.Alias {
	props := &awslambda.AliasProps{AliasName: jsii.String(p.alias()), Version: function.CurrentVersion()}
	var least, most float64
	if p != nil {
		least, most = p.Bounds()
		props.ProvisionedConcurrentExecutions = &least
	}
	alias := awslambda.NewAlias(this, jsii.String("Alias"), props)
	if most > least {
		alias.AddAutoScaling(&awslambda.AutoScalingOptions{MinCapacity: &least, MaxCapacity: &most}).
			ScaleOnUtilization(&awslambda.UtilizationScalingOptions{UtilizationTarget: jsii.Number(utilizationTarget)})
	}
	return alias
}

// AliasOf returns the alias of a function with Provisioned or SnapStart, or nil. Invoke the alias, and grant rights to
// the alias. Otherwise the provisioned environments, or the snapshot, are not used.
func AliasOf(function BashFunction) awslambda.Alias {
	alias, _ := function.Node().Scope().Node().TryFindChild(jsii.String("Alias")).(awslambda.Alias)
	return alias
}

// addURL makes a function URL for signed requests (IAM). If there is an alias, the URL is the alias's.
func addURL(function awslambda.Function, alias awslambda.Alias) {
	options := &awslambda.FunctionUrlOptions{AuthType: awslambda.FunctionUrlAuthType_AWS_IAM}
	if alias != nil {
		alias.AddFunctionUrl(options)
		return
	}
	function.AddFunctionUrl(options)
}

// URLOf returns the URL of a function that has one (prop URL), or nil. Its GrantInvokeUrl lets a caller call it.
func URLOf(function BashFunction) awslambda.FunctionUrl {
	node := function.Node()
	if alias := AliasOf(function); alias != nil {
		node = alias.Node()
	}
	url, _ := node.TryFindChild(jsii.String("FunctionUrl")).(awslambda.FunctionUrl)
	return url
}
