package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/assembly"
)

// assemblyFlags say which functions of which assembly are meant.
type assemblyFlags struct {
	Assembly string `default:"cdk.out" placeholder:"DIR" help:"Cloud assembly that cdk synth wrote."`
	Stack    string `placeholder:"NAME" help:"Stack of the assembly, where it has several."`
}

// labFlags are what the lab can vary.
type labFlags struct {
	ReadAhead int    `default:"128" placeholder:"KIB" help:"Read-ahead of the packages' file system, in KiB (a Linux guest's default is 128)."`
	InitCPU   string `default:"full" enum:"full,proportional" help:"CPU during INIT: full, as on AWS, or in proportion to memory."`
	BaseRoot  string `placeholder:"DIR" help:"Unpacked root file system of provided:al2023, in place of this machine's /usr."`
	State     string `placeholder:"DIR" help:"Folder for what the lab prepares; a temporary one by default."`

	count lab.Count // of a run, which predicts from it
}

func (f labFlags) options(a assemblyFlags) lab.Options {
	return lab.Options{Assembly: a.Assembly, Stack: a.Stack, ReadAheadKiB: f.ReadAhead, InitCPU: lab.InitCPU(f.InitCPU),
		BaseRoot: f.BaseRoot, StateDir: f.State, Count: f.count}
}

// source is where functions run, opened: Lambda's API for the driver and the arms that it offers.
type source struct {
	name        record.Source
	region      string // AWS only
	client      *lambda.Client
	targets     []measure.Target
	notMeasured []arm.NotMeasured
	warnings    []string
	digests     map[string]string // arm -> digest of its deployment package
	close       func() error
}

// open opens a source by name.
func open(ctx context.Context, name record.Source, flags labFlags, from assemblyFlags) (*source, error) {
	if name == record.AWS {
		return openAWS(ctx, from)
	}
	return openLab(ctx, flags, from)
}

// openLab starts the lab in this process and reaches it as anyone would: through Lambda's API, on loopback.
func openLab(ctx context.Context, flags labFlags, from assemblyFlags) (*source, error) {
	l, err := lab.New(ctx, flags.options(from))
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("listening on loopback: %w", err)
	}
	server := &http.Server{Handler: l} //nolint:gosec // no time-outs: an invocation takes as long as the function's own
	go server.Serve(listener)          //nolint:errcheck // ends with Close below
	return &source{
		name:        record.Lab,
		client:      measure.NewLabClient("http://" + listener.Addr().String()),
		targets:     targetsOf(l.Functions(), func(f assembly.Function) string { return f.LogicalID }),
		notMeasured: l.NotMeasured(),
		warnings:    l.Warnings(),
		close: func() error {
			server.Close()
			return l.Close()
		},
	}, nil
}

// openAWS finds the deployed functions of an assembly: CloudFormation knows which function a logical ID became.
func openAWS(ctx context.Context, from assemblyFlags) (*source, error) {
	a, err := assembly.Read(from.Assembly)
	if err != nil {
		return nil, err
	}
	stack, err := a.Stack(from.Stack)
	if err != nil {
		return nil, err
	}
	client, region, err := measure.NewAWSClient(ctx)
	if err != nil {
		return nil, err
	}
	names, err := measure.DeployedFunctions(ctx, stack.Name)
	if err != nil {
		return nil, err
	}
	s := &source{name: record.AWS, region: region, client: client, notMeasured: stack.NotMeasured, close: func() error { return nil }}
	if endpoint := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_LAMBDA"), os.Getenv("AWS_ENDPOINT_URL")); endpoint != "" {
		s.warnings = append(s.warnings, "AWS_ENDPOINT_URL names "+endpoint+": these are the figures of whatever answers there, not necessarily of AWS")
	}
	var deployed []assembly.Function
	for _, f := range stack.Functions {
		if names[f.LogicalID] == "" {
			s.notMeasured = append(s.notMeasured, arm.NotMeasured{Arm: f.Identity.Arm, Why: "not deployed: the stack lacks " + f.LogicalID})
			continue
		}
		deployed = append(deployed, f)
	}
	s.targets = targetsOf(deployed, func(f assembly.Function) string { return names[f.LogicalID] })
	return s, nil
}

func targetsOf(functions []assembly.Function, name func(assembly.Function) string) []measure.Target {
	var targets []measure.Target
	for _, f := range functions {
		targets = append(targets, measure.Target{Identity: f.Identity, FunctionName: name(f), PackageSizeBytes: f.PackageSizeBytes})
	}
	return targets
}

// selectArms keeps the targets whose arm matches one of the comma-separated patterns of arm.Match; "" keeps all.
func selectArms(targets []measure.Target, patterns string) ([]measure.Target, error) {
	if patterns == "" {
		return targets, nil
	}
	var kept []measure.Target
	matched := map[string]bool{}
	for _, t := range targets {
		hit := false
		for pattern := range strings.SplitSeq(patterns, ",") {
			ok, err := arm.Match(pattern, t.Arm)
			if err != nil {
				return nil, fmt.Errorf("reading --arms: %w", err)
			}
			if ok {
				hit, matched[pattern] = true, true
			}
		}
		if hit {
			kept = append(kept, t)
		}
	}
	for pattern := range strings.SplitSeq(patterns, ",") {
		if !matched[pattern] {
			return nil, fmt.Errorf("no arm matches %q: the assembly has %s", pattern, strings.Join(armNames(targets), ", "))
		}
	}
	return kept, nil
}

func armNames(targets []measure.Target) []string {
	var names []string
	for _, t := range targets {
		names = append(names, t.Arm)
	}
	return names
}
