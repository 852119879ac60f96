// Package bashfunction is a CDK construct for Lambda functions written as shell functions.
//
//	bashfunction.NewBashFunction(stack, jsii.String("Hello"), &bashfunction.BashFunctionProps{
//		Entry: jsii.String("handlers/hello"), // holds handler.sh, which defines run()
//	})
//
// It builds the bootstrap and packages it with the handler as a ZIP file or a container image. The function gets its
// own log group, and a role that may write to that log group and do nothing else. Props and handler are checked at
// synth. If the handler's file does not define the function, for example, the error names the file and the functions
// that it defines.
//
// # Handlers
//
// Handler "file.function" sources file.sh once, during INIT, and calls the function for each event. The event arrives
// on standard input and as $1. The response is what the function prints, and a non-zero status is a function error.
// Handler "file" runs that executable for each event; it may be in any language.
package bashfunction

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/cdk"
)

// BashFunction is an awslambda.Function like any other, with its grants, metrics, aliases and event sources.
type BashFunction interface {
	awslambda.Function
}

// NewBashFunction does what New does, and panics if there is an error, as constructs do. The CDK CLI shows the
// error and stops.
func NewBashFunction(scope constructs.Construct, id *string, props *BashFunctionProps) BashFunction {
	return cdk.Must(New(scope, id, props))
}

// New defines a function below scope/id, next to its log group and its role. If it returns an error, nothing has been
// added to the scope. The error is one line. Test it with errors.As: a *packages.UnavailableError means that this
// machine cannot build the package, a *packages.ImpossibleError that no machine can.
func New(scope constructs.Construct, id *string, props *BashFunctionProps) (BashFunction, error) {
	if props == nil {
		props = &BashFunctionProps{}
	}
	p := props.withDefaults(scope)
	notes, err := p.validate()
	var built awslambda.FunctionProps
	if err == nil {
		built, err = p.build()
	}
	if err != nil {
		return nil, fmt.Errorf("bash function %q: %w", *id, err)
	}
	this := constructs.NewConstruct(scope, id)
	for _, n := range notes {
		awscdk.Annotations_Of(this).AddWarningV2(jsii.String(n.ID), jsii.String(n.Text))
	}
	snapStart := p.SnapStart != nil
	p.SnapStart = nil
	function := Function(this, p.FunctionOptions, built)
	Identify(function, p.identity(awscdk.Stack_Of(this), *this.Node().Path()))
	var alias awslambda.Alias
	if snapStart {
		SnapStart(function)
	}
	if snapStart || p.Provisioned != nil {
		alias = p.Provisioned.Of(this, function)
	}
	if p.URL != nil && *p.URL {
		addURL(function, alias)
	}
	return function, nil
}

// Function defines a function below the construct this. It also defines the function's log group and role, unless the
// options name them.
//
// Options are copied by the names of their fields: awslambda repeats them in FunctionProps, and a field that a
// later CDK adds must not be left out silently.
func Function(
	this constructs.Construct, options awslambda.FunctionOptions, props awslambda.FunctionProps,
) awslambda.Function {
	if options.LogGroup == nil {
		options.LogGroup = cdk.LogGroup(this, "LogGroup")
	}
	if options.Role == nil {
		options.Role = newRole(this, options)
	}
	from, to := reflect.ValueOf(options), reflect.ValueOf(&props).Elem()
	for i := range from.NumField() {
		to.FieldByName(from.Type().Field(i).Name).Set(from.Field(i))
	}
	return awslambda.NewFunction(this, jsii.String("Function"), &props)
}

// Identify writes a function's identity, as an arm of an experiment, into the Metadata of its resource, where the
// lab, the driver and the report look for it. New uses the construct's path as the arm's name; an experiment has
// its own names.
func Identify(function awslambda.Function, identity arm.Identity) {
	cdk.Resource(function).AddMetadata(jsii.String(arm.MetadataKey), Plain(identity))
}

// identity returns the identity of a function in any application. It leaves out the experiment, because there may be
// none, and the memory, because readers take it from the resource's own properties.
func (p BashFunctionProps) identity(stack awscdk.Stack, path string) arm.Identity {
	a, _ := p.architecture() // validated
	name, handler := strings.TrimPrefix(path, *stack.Node().Path()+"/"), filepath.Base(*p.Entry)
	return arm.Identity{Arm: name, Bootstrap: *p.Bootstrap, Package: p.Package, Architecture: a, Handler: handler}
}

// Plain turns a value into what jsii can carry: maps, lists, text and numbers.
func Plain(value any) (plain any) {
	text := cdk.Must(json.Marshal(value)) // identities and lists of them can always be encoded
	_ = json.Unmarshal(text, &plain)
	return plain
}
