package bashfunction

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
)

// Defaults of BashFunctionProps.
const (
	// DefaultBootstrap is the fastest bootstrap that can be built wherever Go runs. bashtcp-static reads less from a
	// cold package, but building it takes make, and Python with venv, which fetches Zig.
	DefaultBootstrap = "rawsyscall"
	DefaultHandler   = "handler.run"
	DefaultPackage   = arm.ZIP
)

// architectureContext is the context key of the default architecture.
const architectureContext = "architecture"

// BashFunctionProps says what to run and how to package it. Only Entry is required.
type BashFunctionProps struct {
	// Everything that any Lambda function takes: memory, time-out, environment, layers, VPC, tracing, ... It is passed
	// on as it is. This construct has its own defaults for four of them:
	//
	//   - Architecture: arm64, the cheaper one. In the lab of an x86_64 machine, use cdk synth -c architecture=x86_64.
	//   - LoggingFormat: JSON, from which package dashboard makes metrics.
	//   - LogGroup: a new one for this function, which keeps events for a week and is deleted with the stack.
	//   - Role: a new one, which may write to that log group and has the rights that the other options need.
	//
	// SnapStart is for images. AliasOf returns the alias of the version whose snapshot is taken.
	//
	// Example:
	//   FunctionOptions: awslambda.FunctionOptions{MemorySize: jsii.Number(512)}
	awslambda.FunctionOptions

	// The folder of the handler. Everything in it is deployed to /var/task, except its testdata/. A relative path
	// starts at the working folder, which under the CDK CLI is the one that holds cdk.json.
	//
	// Example:
	//   Entry: jsii.String("handlers/hello")
	// Required.
	Entry *string

	// What handles an event: "file.function" for a function in <Entry>/file.sh, "file" for the executable <Entry>/file.
	//
	// Example:
	//   Handler: jsii.String("orders.create") // create() in orders.sh
	// Default: DefaultHandler, run() in handler.sh.
	Handler *string

	// Files and folders in Entry that are not deployed, beside testdata/: patterns of path.Match, for a name at any
	// depth or for a path below Entry.
	//
	// Example:
	//   Exclude: jsii.Strings(".env", "*.md", "docs/drafts")
	// Default: packages.DefaultExclude(): .env, .git, node_modules and the like. An empty list deploys everything.
	Exclude *[]*string

	// The program that talks to Lambda between events: the name of one of packages.Bootstraps().
	//
	// Example:
	//   Bootstrap: jsii.String("bashtcp")
	// Default: DefaultBootstrap.
	Bootstrap *string

	// The kind of deployment package: arm.ZIP on provided.al2023, arm.Image on the same base as a container image, or
	// arm.ImageMinimal, from scratch with a static Bash. The last has no coreutils: the handler must use builtins only,
	// or bring its programs.
	//
	// Example:
	//   Package: arm.Image
	// Default: DefaultPackage.
	Package arm.Package

	// Execution environments that are kept initialized, behind the alias that AliasOf returns.
	//
	// Example:
	//   Provisioned: &bashfunction.Provisioned{Min: jsii.Number(2), Max: jsii.Number(10)}
	// Default: none; every environment starts when it is needed.
	Provisioned *Provisioned

	// Whether the function has an HTTPS endpoint, for callers that sign their requests (IAM). URLOf returns it.
	//
	// Example:
	//   URL: jsii.Bool(true)
	// Default: false.
	URL *bool

	// What makes the deployment package. Functions should share a Builder: it reads the sources only once.
	//
	// Example:
	//   Builder: &packages.Workspace{Dir: "build", Log: os.Stderr}
	// Default: one packages.Workspace for the process, in the user's cache folder. It reports on standard error what it
	// builds.
	Builder Builder
}

// Builder makes deployment packages out of a bootstrap and a handler's folder. *packages.Workspace is one. Both methods
// return a path; the content there depends only on their arguments and the sources.
type Builder interface {
	// ZIP returns a ZIP file.
	ZIP(ctx context.Context, bootstrap string, a arm.Architecture, handlerDir string) (string, error)
	// ImageContext returns a folder with a Dockerfile.
	ImageContext(
		ctx context.Context, p arm.Package, bootstrap string, a arm.Architecture, handlerDir string,
	) (string, error)
}

// or returns text. If text is nil or empty, it returns fallback.
func or(text *string, fallback string) *string {
	if text == nil || *text == "" {
		return &fallback
	}
	return text
}

// withDefaults returns a copy in which every prop that has a default is set, except the Builder.
func (p BashFunctionProps) withDefaults(scope constructs.Construct) BashFunctionProps {
	p.Entry, p.Handler, p.Bootstrap = or(p.Entry, ""), or(p.Handler, DefaultHandler), or(p.Bootstrap, DefaultBootstrap)
	p.Package = cmp.Or(p.Package, DefaultPackage)
	if p.LoggingFormat == "" && p.LogFormat == nil { //nolint:staticcheck // deprecated, but may be set
		p.LoggingFormat = awslambda.LoggingFormat_JSON
	}
	if p.Architecture == nil {
		p.Architecture = awslambda.Architecture_ARM_64()
		if scope.Node().TryGetContext(jsii.String(architectureContext)) == string(arm.X8664) {
			p.Architecture = awslambda.Architecture_X86_64()
		}
	}
	return p
}

// validateEntry checks the folder of the handler.
func (p BashFunctionProps) validateEntry() error {
	if *p.Entry == "" {
		return errors.New(`prop Entry is missing: set it to the folder that holds handler.sh, such as "handlers/hello"`)
	}
	info, err := os.Stat(*p.Entry)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("prop Entry: there is no folder %s: create it or correct the path%s", *p.Entry, startsAt(*p.Entry))
	case err != nil:
		return fmt.Errorf("prop Entry: %w", err)
	case !info.IsDir():
		return fmt.Errorf("prop Entry: %s is a file: name its folder, and the file in Handler", *p.Entry)
	}
	return nil
}

// startsAt says where a relative path starts, because that is a common mistake.
func startsAt(path string) string {
	dir, err := os.Getwd()
	if err != nil || filepath.IsAbs(path) {
		return ""
	}
	return " (it starts at " + dir + ")"
}
