package bashfunction

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsecrassets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/archive"
)

// build makes the deployment package and the properties that depend on it. The hash of the package's asset depends on
// its content only, so a deployment from another machine changes nothing.
func (p BashFunctionProps) build() (props awslambda.FunctionProps, err error) {
	builder := p.Builder
	if builder == nil {
		if builder, err = sharedWorkspace(); err != nil {
			return props, err
		}
	}
	a, _ := p.architecture() // validated
	if p.Exclude != nil {
		excluder, ok := builder.(interface{ Exclude(string, []string) error })
		if !ok {
			return props, errors.New("prop Exclude: the Builder has no method Exclude: use packages.Workspace, or leave it out")
		}
		plain := list.Map(*p.Exclude, func(pattern *string) string { return *pattern })
		if err := excluder.Exclude(*p.Entry, plain); err != nil {
			return props, fmt.Errorf("prop Exclude: %w", err)
		}
		defer func() { _ = excluder.Exclude(*p.Entry, nil) }() // another function with this Entry may exclude something else
	}
	path, err := p.packagePath(builder, a)
	if err != nil {
		return props, err
	}
	if p.Package == arm.ZIP {
		if err := checkSize(path, arm.MaxUnpackedZIP); err != nil {
			return props, err
		}
		code := awslambda.Code_FromAsset(&path, nil)
		return awslambda.FunctionProps{Code: code, Runtime: awslambda.Runtime_PROVIDED_AL2023(), Handler: p.Handler}, nil
	}
	return Image(path, a, p.Handler), nil
}

// Image returns the props of a function whose image is built from a folder with a Dockerfile. CMD is the Dockerfile's
// if cmd is empty.
func Image(dir string, a arm.Architecture, cmd ...*string) awslambda.FunctionProps {
	props := &awslambda.AssetImageCodeProps{Platform: awsecrassets.Platform_Custom(jsii.String("linux/" + a.GOARCH()))}
	if len(cmd) > 0 {
		props.Cmd = &cmd
	}
	return awslambda.FunctionProps{
		Code:    awslambda.Code_FromAssetImage(&dir, props),
		Runtime: awslambda.Runtime_FROM_IMAGE(), Handler: awslambda.Handler_FROM_IMAGE(),
	}
}

// packagePath builds the package. It returns an absolute path, because the jsii kernel is another process, which may
// have another working folder.
func (p BashFunctionProps) packagePath(builder Builder, a arm.Architecture) (path string, err error) {
	ctx := context.Background() // an interrupt ends the process; a package gets its name when it is complete
	if p.Package == arm.ZIP {
		path, err = builder.ZIP(ctx, *p.Bootstrap, a, *p.Entry)
	} else {
		path, err = builder.ImageContext(ctx, p.Package, *p.Bootstrap, a, *p.Entry)
	}
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

// sharedWorkspace is the default Builder.
var sharedWorkspace = sync.OnceValues(func() (Builder, error) {
	dir, err := archive.Cache("build")
	if err != nil {
		return nil, fmt.Errorf("%w, or give the prop Builder", err)
	}
	return &packages.Workspace{Dir: dir, Log: os.Stderr}, nil
})
