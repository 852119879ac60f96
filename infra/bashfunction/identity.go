package bashfunction

import (
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
)

// Identify writes what a function is, as an arm of an experiment, where the lab, the driver and the report look for it: in the Metadata of
// its resource. New does so with the construct's path as the arm's name; an experiment has names of its own.
func Identify(function awslambda.Function, identity arm.Identity) {
	resource := function.Node().DefaultChild().(awslambda.CfnFunction)
	resource.AddMetadata(jsii.String(arm.MetadataKey), Plain(identity))
}

// identity is that of a function of anybody's application. Experiment and memory are read off the resource: they may be known to
// CloudFormation only.
func (p BashFunctionProps) identity(stack awscdk.Stack, path string, a arm.Architecture) arm.Identity {
	return arm.Identity{Arm: strings.TrimPrefix(path, *stack.Node().Path()+"/"), Bootstrap: p.Bootstrap, Package: p.Package, Architecture: a,
		Handler: filepath.Base(p.Entry)}
}

// Plain turns a value into what jsii carries: maps, lists, text and numbers.
func Plain(value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // identities and lists of them have no way to fail
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		panic(err)
	}
	return out
}
