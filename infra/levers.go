package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/experiment"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/archive"
)

// leverBench is what the experiment of levers has in common: one package, of ours or of the user's own.
type leverBench struct {
	*settings
	stack    awscdk.Stack
	e        *experiment.Experiment
	options  awslambda.FunctionOptions
	identity arm.Identity // of the baseline
	code     string       // a ZIP file, or a folder
	runtime  awslambda.Runtime
	layers   map[string]string // logical IDs by name
	table    awsdynamodb.Table // of the lever code
	absent   []arm.NotMeasured
	builder  bashfunction.Builder
}

// newLeversStack defines a baseline with its null twin, and an arm for each level of each lever. What the update that
// forces a cold start carries is a variant of the baseline's function; the rest are functions of their own.
func newLeversStack(scope constructs.Construct, s settings, builder bashfunction.Builder) (awscdk.Stack, error) {
	l := &leverBench{settings: &s, stack: newBareStack(scope, s, "one change each, against a baseline"), layers: map[string]string{}, absent: []arm.NotMeasured{},
		runtime: awslambda.Runtime_PROVIDED_AL2023(), builder: builder}
	var err error
	if l.e, l.options, err = s.begin(l.stack); err != nil {
		return nil, err
	}
	l.options.MemorySize, l.options.LoggingFormat = jsii.Number(s.MemorySizes[0]), awslambda.LoggingFormat_JSON // from which figures are read
	l.identity = arm.Identity{Package: arm.ZIP, Architecture: s.Architecture, MemorySizeMB: s.MemorySizes[0], Handler: s.Handler}
	switch {
	case len(s.Packages) > 0:
		l.identity.Bootstrap = packageName(s.Packages[0])
		if s.Runtime != "" {
			l.runtime = awslambda.NewRuntime(&s.Runtime, "", nil)
		}
	case s.has(arm.Code):
		language := l.language()
		l.identity.Bootstrap, l.identity.Handler, l.runtime = language.Name, habitsHandler, awslambda.NewRuntime(&language.Runtime, "", nil)
		l.identity.Event = habitsEvent
		if l.table, err = geoTable(l.stack); err != nil {
			return nil, err
		}
	default:
		l.identity.Bootstrap = s.Arms[0].Bootstrap.Name
	}
	if l.code, err = l.build(s.Architecture); err != nil {
		return nil, err
	}
	l.identity.Arm = arm.ID(l.identity.Bootstrap, arm.ZIP)
	l.identity = l.identity.Pulled(arm.Baseline, "")
	baseline := l.identity
	baseline.Variants = []arm.Variant{{Lever: arm.Twin}}
	for _, lever := range s.Levers {
		for _, level := range lever.Levels {
			set, own, err := l.pull(lever.Name, level)
			if err != nil {
				return nil, fmt.Errorf("-c levers=%s: %w", lever.Name, err)
			}
			if set != nil && !own {
				baseline.Variants = append(baseline.Variants, arm.Variant{Lever: lever.Name, Level: level, Set: *set})
			}
		}
	}
	if _, err := l.function("Baseline", l.code, baseline, l.options); err != nil {
		return nil, err
	}
	return l.stack, finish(l.stack, l.e, l.absent)
}

// build returns the package for an architecture. The user's own is the same for both.
func (l *leverBench) build(a arm.Architecture) (string, error) {
	switch {
	case len(l.Packages) > 0:
		return l.Packages[0], nil
	case l.has(arm.Code):
		return buildLanguage(l.language(), context.Background(), habits, a)
	}
	return l.builder.ZIP(context.Background(), l.identity.Bootstrap, a, filepath.Join(handlersDir, l.Handler))
}

// pull returns what a level overrides, or nil if the baseline has that level. own reports that it has defined a
// function of its own.
func (l *leverBench) pull(lever, level string) (set *arm.Override, own bool, err error) {
	set = &arm.Override{}
	switch lever + "=" + level {
	case "logs=text":
		set.LogFormat = "Text"
	case "size=" + level:
		return nil, true, l.sized(lever, level)
	case "provisioned=" + level:
		set.Provisioned, err = strconv.Atoi(level)
	case "tracked=10-100":
		identity := l.identity.Pulled(lever, level)
		identity.Alias = bashfunction.DefaultAlias
		f, err := l.function("Tracked", l.code, identity, l.options)
		if err == nil {
			bounds := bashfunction.Provisioned{Min: jsii.Number(trackedLeast), Max: jsii.Number(trackedMost)}
			bounds.Of(constructs.NewConstruct(l.stack, jsii.String("TrackedAlias")), f)
		}
		return nil, true, err
	case arm.Code + "=" + level:
		return l.habit(level)
	case "tracing=sampled":
		set.Tracing, set.Sampled = "Active", "1"
	case "tracing=unsampled":
		set.Tracing, set.Sampled = "Active", "0"
	case "architecture=" + string(l.Architecture): // the baseline
		return nil, false, nil
	case "architecture=" + level:
		identity, options := l.identity.Pulled(lever, level), l.options
		identity.Architecture = arm.Architecture(level)
		options.Architecture = architectures[identity.Architecture]()
		code, err := l.build(identity.Architecture)
		if err == nil {
			_, err = l.function("Architecture-"+level, code, identity, options)
		}
		return nil, true, err
	case "vpc=isolated":
		options := l.options
		l.network(&options)
		_, err := l.function("Vpc-isolated", l.code, l.identity.Pulled(lever, level), options)
		return nil, true, err
	case "logs=json": // the baseline
		return nil, false, nil
	case "environment=3kB":
		set.Environment = map[string]string{}
		for i := range 30 {
			set.Environment[fmt.Sprintf("LEVER_%02d", i)] = strings.Repeat("x", 90)
		}
	case "extension=internal":
		if l.Handler != leversHandler || len(l.Packages) > 0 {
			return nil, false, nil // an extension inside a process is the handler's
		}
		set.Environment = map[string]string{"TWINSTART_EXTENSION": "internal"}
	case "extension=external":
		set.Layers, err = l.layer("Extension", func(dir string) error {
			text, err := os.ReadFile(filepath.Join(handlersDir, leversHandler, "extension.sh"))
			if err != nil {
				return err
			}
			to := filepath.Join(dir, "extensions", "extension.sh")
			return errors.Join(os.Mkdir(filepath.Dir(to), 0o755), os.WriteFile(to, text, 0o755))
		})
	case "layers=package":
		var code string
		if code, err = kept(func(dir string) error { return errors.Join(archive.Lay(l.code, dir), bulk(dir, 0, bulkFiles)) }); err == nil {
			_, err = l.function("Layers-package", code, l.identity.Pulled(lever, level), l.options)
		}
		return nil, true, err
	case "layers=one":
		set.Layers, err = l.layer("Bulk", func(dir string) error { return bulk(dir, 0, bulkFiles) })
	case "layers=five":
		for i := range bulkFiles {
			one, problem := l.layer(fmt.Sprintf("Bulk%d", i+1), func(dir string) error { return bulk(dir, i, i+1) })
			set.Layers, err = append(set.Layers, one...), errors.Join(err, problem)
		}
	default:
		if set.MemorySizeMB, err = strconv.Atoi(level); set.MemorySizeMB == l.MemorySizes[0] {
			return nil, false, nil
		}
	}
	return set, false, err
}

// sized defines a function of a padded package. The published threshold of 5 MB is one of the sizes.
func (l *leverBench) sized(lever, level string) error {
	text, how, _ := strings.Cut(level, "-")
	mb, _ := strconv.Atoi(text) // checked
	if how == "code" && !strings.HasPrefix(*l.runtime.Name(), "provided") {
		return nil // the program is Lambda's
	}
	code, err := kept(func(dir string) error {
		filler, to := packages.Noise(int64(mb)<<20), filepath.Join(dir, "filler")
		if how == "zeros" {
			clear(filler)
		}
		if how == "code" { // no header refers to what follows the program's image
			to = filepath.Join(dir, "bootstrap")
		}
		if err := archive.Lay(l.code, dir); err != nil {
			return err
		}
		file, err := os.OpenFile(to, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		_, err = file.Write(filler)
		return errors.Join(err, file.Close())
	})
	if err != nil {
		return err
	}
	identity := l.identity.Pulled(lever, level)
	if how == "image" {
		identity.Package = arm.Image
	}
	_, err = l.function("Size-"+level, code, identity, l.options)
	return err
}

// trackedLeast and trackedMost bound the environments of the lever tracked.
const trackedLeast, trackedMost = 10, 100

// leversHandler is the handler that can have an extension in its process.
const leversHandler = "levers"

// function defines a function as an arm.
func (l *leverBench) function(id, code string, identity arm.Identity, options awslambda.FunctionOptions) (awslambda.Function, error) {
	handler := l.Handler
	switch {
	case l.table != nil:
		handler = l.language().Handler(habits.Name)
	case len(l.Packages) == 0:
		handler = bashfunction.DefaultHandler
	case handler == "":
		handler = "bootstrap"
	}
	props, err := experiment.Props(identity.Package, code, l.runtime, handler, identity.Architecture, false)
	if err != nil {
		return nil, err
	}
	f := bashfunction.Function(constructs.NewConstruct(l.stack, &id), options, props)
	if l.table != nil {
		grant(l.table, f, habitsCalls)
	}
	l.e.AddIdentity(f, identity)
	explained := *l.settings
	if l.has("tracing") { // an update cannot give the function's role the rights
		f.AddToRolePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings("xray:PutTraceSegments", "xray:PutTelemetryRecords"), Resources: jsii.Strings("*")}))
		explained.Tracing = awslambda.Tracing_ACTIVE
	}
	explained.explain(f)
	return f, nil
}

// network defines a VPC whose one way out is the gateway endpoint of DynamoDB, which costs nothing, and lets a function
// into it.
func (l *leverBench) network(o *awslambda.FunctionOptions) {
	group := (&options{VPC: "new"}).enter(l.stack, o)
	group.AddEgressRule(awsec2.Peer_AnyIpv4(), awsec2.Port_HTTPS(), jsii.String("The subnets have a route to DynamoDB alone"), nil)
	tables := l.stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("dynamodb"), Resource: jsii.String("table"), ResourceName: jsii.String("*")})
	if l.table != nil {
		tables = l.table.TableArn()
	}
	actions := make([]string, len(habitsCalls))
	for i, call := range habitsCalls {
		actions[i] = "dynamodb:" + call
	}
	o.Vpc.AddGatewayEndpoint(jsii.String("DynamoDB"), &awsec2.GatewayVpcEndpointOptions{Service: awsec2.GatewayVpcEndpointAwsService_DYNAMODB()}).
		AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()}, Actions: jsii.Strings(actions...), Resources: &[]*string{tables},
			Conditions: &map[string]any{"StringEquals": map[string]*string{"aws:PrincipalAccount": l.stack.Account()}},
		}))
}

// layer defines a layer, which no function has before a run gives it, and returns its logical ID.
func (l *leverBench) layer(id string, write func(dir string) error) ([]string, error) {
	dir, err := kept(write)
	if err != nil {
		return nil, err
	}
	layer := awslambda.NewLayerVersion(l.stack, &id, &awslambda.LayerVersionProps{LayerVersionName: jsii.String(*l.stack.StackName() + "-" + id), Code: awslambda.Code_FromAsset(&dir, nil), RemovalPolicy: awscdk.RemovalPolicy_DESTROY})
	return []string{*l.stack.GetLogicalId(layer.Node().DefaultChild().(awscdk.CfnElement))}, nil
}

// bulkFiles is the number of files, of 1 MB each, that a package or its layers hold and nobody reads.
const bulkFiles = 5

// bulk writes files that cannot be compressed: the same bytes each time.
func bulk(dir string, from, to int) error {
	if err := os.MkdirAll(filepath.Join(dir, "bulk"), 0o755); err != nil {
		return err
	}
	for i := from; i < to; i++ {
		name := filepath.Join(dir, "bulk", strconv.Itoa(i+1))
		if err := os.WriteFile(name, packages.Noise(bulkFiles << 20)[i<<20:(i+1)<<20], 0o644); err != nil {
			return err
		}
	}
	return nil
}

// kept writes a folder of the cache, which is named by its content.
func kept(write func(dir string) error) (string, error) {
	cache, err := archive.Cache("levers")
	if err != nil {
		return "", err
	}
	return archive.Keep(cache, write)
}
