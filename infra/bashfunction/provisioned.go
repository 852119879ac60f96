package bashfunction

import (
	"errors"
	"fmt"
	"math"
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
)

// Provisioned keeps execution environments initialized, so that invocations of an alias find no cold start as long as
// they suffice. Lambda bills for them by the second, used or not: see docs/options.md.
type Provisioned struct {
	// How many, at least 1.
	Min *float64

	// If it is greater than Min, Application Auto Scaling keeps utilization at 70 % between Min and Max.
	//
	// Default: Min, a fixed number.
	Max *float64

	// The alias that has them. It names the function's current version: $LATEST cannot have any, which is Lambda's
	// rule.
	//
	// Default: DefaultAlias.
	Alias *string
}

// DefaultAlias is the alias for Provisioned, SnapStart and URL.
const DefaultAlias = "live"

// utilizationTarget leaves room for the minutes in which Lambda initializes more environments.
const utilizationTarget = 0.7

// aliasName is Lambda's rule. Digits alone would be a version.
var aliasName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
var onlyDigits = regexp.MustCompile(`^[0-9]+$`)

// SnapStart has Lambda take a snapshot of each version of a function that is published. The CDK's own prop refuses
// images (2.260.0: "not supported by runtime FROM_IMAGE"), which Lambda takes since July 2026; the resource's property
// takes anything.
func SnapStart(function awslambda.Function) {
	function.Node().DefaultChild().(awslambda.CfnFunction).SetSnapStart(&awslambda.CfnFunction_SnapStartProperty{ApplyOn: jsii.String("PublishedVersions")})
}

// validateSnapStart refuses what Lambda does, some of it only once a version is published.
// See https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html.
func (p BashFunctionProps) validateSnapStart() error {
	size := p.EphemeralStorageSize
	switch {
	case p.SnapStart == nil:
	case p.Package == arm.ZIP:
		return fmt.Errorf("prop SnapStart: Lambda has none for a ZIP of provided.al2023: use package %s or %s", arm.Image, arm.ImageMinimal)
	case p.Provisioned != nil:
		return errors.New("props SnapStart and Provisioned: Lambda refuses the two together: leave one out")
	case size != nil && !*size.IsUnresolved() && *size.ToMebibytes(nil) > arm.MinTmpMB:
		return fmt.Errorf("props SnapStart and EphemeralStorageSize: Lambda takes no snapshot with more than %d MB of /tmp: leave one out", arm.MinTmpMB)
	}
	return nil
}

func (p BashFunctionProps) validateProvisioned() error {
	if p.Provisioned == nil {
		return nil
	}
	least, most := p.Provisioned.Bounds()
	switch alias := p.Provisioned.alias(); {
	case alias == "$LATEST":
		return errors.New("prop Provisioned.Alias is $LATEST, which cannot have provisioned concurrency: name an alias, or leave it out for " + DefaultAlias)
	case !aliasName.MatchString(alias) || onlyDigits.MatchString(alias):
		return fmt.Errorf("prop Provisioned.Alias is %q: use letters, digits, - and _, and not digits alone", alias)
	case least < 1 || most < least || least != math.Trunc(least) || most != math.Trunc(most):
		return fmt.Errorf("prop Provisioned is %v to %v: use whole numbers, 1 at least, and a Max that is not below Min", least, most)
	}
	if r := p.ReservedConcurrentExecutions; r != nil && most > *r {
		return fmt.Errorf("prop Provisioned asks for %v environments and prop ReservedConcurrentExecutions allows %v: raise that, or ask for fewer", most, *r)
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

// Of makes the alias that SnapStart and provisioned concurrency need: neither is of $LATEST. A nil p is for SnapStart.
func (p *Provisioned) Of(this constructs.Construct, function awslambda.Function) awslambda.Alias {
	if p == nil {
		return awslambda.NewAlias(this, jsii.String("Alias"), &awslambda.AliasProps{AliasName: jsii.String(p.alias()), Version: function.CurrentVersion()})
	}
	least, most := p.Bounds()
	alias := awslambda.NewAlias(this, jsii.String("Alias"), &awslambda.AliasProps{
		AliasName:                       jsii.String(p.alias()),
		Version:                         function.CurrentVersion(),
		ProvisionedConcurrentExecutions: &least,
	})
	if most > least {
		alias.AddAutoScaling(&awslambda.AutoScalingOptions{MinCapacity: &least, MaxCapacity: &most}).
			ScaleOnUtilization(&awslambda.UtilizationScalingOptions{UtilizationTarget: jsii.Number(utilizationTarget)})
	}
	return alias
}

// AliasOf returns the alias of a function with Provisioned or SnapStart, or nil. Invoke the alias and grant rights to
// it; otherwise the provisioned environments, or the snapshot, are not used.
func AliasOf(function BashFunction) awslambda.Alias {
	alias, _ := function.Node().Scope().Node().TryFindChild(jsii.String("Alias")).(awslambda.Alias)
	return alias
}

// addURL makes a function URL for signed requests (IAM), of the alias if there is one.
func addURL(function awslambda.Function, alias awslambda.Alias) {
	options := &awslambda.FunctionUrlOptions{AuthType: awslambda.FunctionUrlAuthType_AWS_IAM}
	if alias != nil {
		alias.AddFunctionUrl(options)
		return
	}
	function.AddFunctionUrl(options)
}

// URLOf returns the URL of a function with URL, or nil. A caller needs its GrantInvokeUrl.
func URLOf(function BashFunction) awslambda.FunctionUrl {
	node := function.Node()
	if alias := AliasOf(function); alias != nil {
		node = alias.Node()
	}
	url, _ := node.TryFindChild(jsii.String("FunctionUrl")).(awslambda.FunctionUrl)
	return url
}
