package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/agext/levenshtein"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/report"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/deployment"
)

// assemblyFlags select the assembly and its stack.
type assemblyFlags struct {
	Assembly string `group:"what" default:"cdk.out" placeholder:"DIR" help:"Cloud assembly that cdk synth wrote."`
	Stack    string `group:"what" placeholder:"NAME" help:"Stack of the assembly, where it has several."`
}

// read reads the assembly. If there is none and none was named, the error explains how to start.
func (f assemblyFlags) read() (*assembly.Assembly, error) {
	if _, err := os.Stat(f.Assembly); f.Assembly == defaultAssembly && errors.Is(err, fs.ErrNotExist) {
		return nil, errNoAssembly
	}
	return assembly.Read(f.Assembly)
}

var errNoAssembly = errors.New("nothing to measure here: give a package (twinstart run function.zip), or run `npx cdk synth` in an application's folder first (there is no " + defaultAssembly + ")")

const defaultAssembly = "cdk.out"

// labFlags are the options of the lab.
type labFlags struct {
	ReadAhead int        `json:"readAheadKiB" group:"lab" default:"128" placeholder:"KIB" help:"Read-ahead of the packages' file system, in KiB (a Linux guest's default is 128)."`
	InitCPU   string     `json:"initCPU" group:"lab" default:"full" enum:"full,proportional" help:"CPU during INIT: full, as on AWS, or in proportion to memory."`
	BaseRoot  string     `json:"baseRoot" group:"lab" placeholder:"DIR" help:"Unpacked root file system of provided:al2023, in place of this machine's /usr."`
	Network   string     `json:"-" group:"lab" default:"own" enum:"own,host" help:"What functions reach: nothing but --allow, or all that this machine reaches."`
	Allow     []lab.Door `json:"-" group:"lab" placeholder:"NAME=URL" help:"A service that functions reach by AWS_ENDPOINT_URL_NAME, such as dynamodb=http://127.0.0.1:8000."`
	State     string     `json:"-" group:"lab" placeholder:"DIR" help:"Folder for what the lab prepares; a temporary one by default."`

	DynamoDBLatency time.Duration `json:"dynamoDBLatency" group:"lab" name:"dynamodb-latency" default:"4ms" placeholder:"TIME" help:"Median service time of the assembly's tables, which the lab serves."`

	counter *packageCounter // set by a run, which predicts from counts
	load    *measure.Load   // set by a load
}

func (f labFlags) labOptions(of *named) lab.Options {
	o := lab.Options{Functions: of.functions, TableLatency: f.DynamoDBLatency, ReadAheadKiB: f.ReadAhead,
		ProportionalInit: f.InitCPU == "proportional", BaseRoot: f.BaseRoot, StateDir: f.State, HostNetwork: f.Network == "host",
		Allow: f.Allow, Measured: true}
	if of.stack != nil {
		o.Tables = of.stack.Tables
	}
	if f.counter != nil {
		o.Count = f.counter.count
	}
	if f.load != nil {
		o.Concurrency = max(lab.DefaultConcurrency, f.load.Concurrency)
	}
	return o
}

// measureFlags say what is measured, where, and where records go: the same for run and load. Those with a name in
// JSON are a run's options in run.json, which --resume takes from there.
type measureFlags struct {
	assemblyFlags `json:"-"`
	labFlags
	analysisFlags `json:"-"`
	variantFlags  `json:"variants"`
	deployedFlags
	Packages []string      `json:"packages" arg:"" optional:"" name:"path|arm" help:"Deployment packages (ZIP, folder, bootstrap, Dockerfile's folder, image tarball, OCI layout, image reference), or arms of the assembly; all of its arms by default."`
	Source   record.Source `json:"-" group:"where" default:"lab" enum:"lab,aws" help:"Where the functions run: lab (this machine) or aws (deployed)."`
	Arms     string        `json:"arms" group:"what" placeholder:"GLOB,..." help:"Arms to measure, such as 'rawtcp/*,*/zip'; all by default."`
	Seed     uint64        `json:"-" group:"many" help:"Seed of the order of arms; drawn and recorded by default."`
	Event    string        `json:"event" group:"what" placeholder:"FILE" help:"Event of every invocation; each arm's own by default, {} if it has none."`
	Out      string        `json:"-" group:"output" placeholder:"DIR" help:"Folder for records and reports, out/EXPERIMENT by default; - writes records alone, to standard output."`
	List     bool          `json:"-" group:"what" help:"List the arms that would be measured, with what they are, and do nothing else."`
	Resume   bool          `json:"-" group:"output" help:"Go on with the run in --out that was interrupted, with its own arms, counts, seed and event."`
	Pace     time.Duration `json:"paceNs" group:"where" default:"100ms" help:"Least time between control-plane calls (aws); an account has 15 a second."`
}

// source is an open source of functions: a client of Lambda's API, and the arms behind it.
type source struct {
	name        record.Source
	config      aws.Config // AWS only
	region      string     // AWS only
	client      *lambda.Client
	targets     []measure.Target
	notMeasured []arm.NotMeasured
	lacking     []arm.NotMeasured // those of notMeasured that were named
	warnings    []string
	digests     map[string]string            // arm -> digest of its deployment package
	template    string                       // AWS only: the template's file, and the functions in it by their deployed names
	assembled   map[string]assembly.Function //
	foreign     bool                         // AWS only: the functions may be anybody's
	close       func() error
}

// subject says what is measured, and where.
type subject struct {
	source    record.Source
	lab       labFlags
	from      assemblyFlags
	vary      variantFlags
	args      []string // packages by path, arms by pattern; empty means every function of the assembly
	functions []string // deployed functions, in place of the others
	qualifier string   // of them, "" for $LATEST
}

// open opens the subject's source.
func open(ctx context.Context, s subject, io streams) (*source, error) {
	if s.source == record.AWS {
		return openAWS(ctx, s, io)
	}
	return openLab(ctx, s, io)
}

// openLab starts the lab in this process. It is reached through Lambda's API on loopback, as by any client.
func openLab(ctx context.Context, s subject, io streams) (*source, error) {
	found, err := resolve(ctx, s.from, s.vary, s.args, io)
	if err != nil {
		return nil, err
	}
	if len(s.args) > 0 || s.vary.varied() {
		numbered(found.functions)
	}
	if s.lab.counter != nil || s.lab.load != nil { // a run, which measures
		if err := found.leaveRestoresOut(len(s.args) > 0); err != nil {
			return nil, err
		}
	}
	if s.lab.counter != nil {
		s.lab.counter.all(found.functions)
	}
	l, err := lab.New(ctx, s.lab.labOptions(found))
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("listening on loopback: %w", err)
	}
	asked := found.failed
	if len(s.args) > 0 {
		asked = append(asked, l.NotMeasured()...)
	}
	var targets []measure.Target
	for _, f := range l.Functions() {
		arms, absent := targetsOf(f, measure.Target{FunctionName: f.Name()}, s.lab.load != nil, assembly.LayerARN)
		targets, found.notMeasured = append(targets, arms...), append(found.notMeasured, absent...)
	}
	if len(targets) == 0 {
		listener.Close()
		l.Close()
		return nil, errors.New(arm.Reasons(slices.Concat(found.notMeasured, l.NotMeasured())))
	}
	server := api.NewServer(l)
	go server.Serve(listener) //nolint:errcheck // it returns after Close below
	return &source{
		name:        record.Lab,
		client:      measure.NewLabClient("http://" + listener.Addr().String()),
		targets:     targets,
		notMeasured: slices.Concat(found.failed, found.notMeasured, l.NotMeasured()),
		lacking:     asked,
		digests:     found.digests,
		warnings:    l.Warnings(),
		close: func() error {
			server.Close()
			return l.Close()
		},
	}, nil
}

// leaveRestoresOut takes functions with SnapStart away, which was asked for by name or not. The lab runs their versions
// and makes no snapshots.
func (r *named) leaveRestoresOut(asked bool) error {
	to := &r.notMeasured
	if asked {
		to = &r.failed
	}
	r.functions = slices.DeleteFunc(r.functions, func(f assembly.Function) bool {
		if f.SnapStart {
			*to = append(*to, arm.NotMeasured{Arm: f.Identity.Arm, Why: report.NoRestoreHere + ", for the lab makes no snapshots: twinstart run --source aws"})
		}
		return f.SnapStart
	})
	if len(r.functions) == 0 {
		return errors.New(arm.Reasons(*to))
	}
	return nil
}

// openAWS finds the deployed functions of an assembly. CloudFormation maps logical IDs to functions.
func openAWS(ctx context.Context, of subject, io streams) (*source, error) {
	for _, arg := range of.args {
		if _, err := os.Stat(arg); err == nil || deployment.IsReference(arg) {
			return nil, fmt.Errorf("%s is a package, and --source aws measures what is deployed: leave --source out to measure it here", arg)
		}
	}
	if of.vary.varied() {
		return nil, errors.New("--handler, --runtime, --env and --memory are for the lab: on AWS a function is measured as it is deployed")
	}
	if functions := slices.Concat(of.functions, of.args); len(of.functions) > 0 || slices.ContainsFunc(functions, functionARN.MatchString) {
		return openFunctions(ctx, functions, of.qualifier)
	}
	found, err := resolve(ctx, of.from, of.vary, of.args, io)
	if err != nil {
		return nil, err
	}
	cfg, err := account.InRegion(ctx, "")
	if err != nil {
		return nil, err
	}
	resources, err := measure.DeployedFunctions(ctx, found.stack.Name)
	if err != nil {
		return nil, err
	}
	s := newAWS(cfg)
	s.notMeasured, s.template = found.notMeasured, found.stack.Template
	for _, f := range found.functions {
		deployed, is := resources[f.LogicalID]
		if !is {
			s.notMeasured = append(s.notMeasured, arm.NotMeasured{Arm: f.Identity.Arm, Why: "not deployed: the stack lacks " + f.LogicalID})
			continue
		}
		arms, absent := targetsOf(f, measure.Target{FunctionName: deployed.Name, DeployedAt: deployed.At}, of.lab.load != nil, func(layer string) string { return resources[layer].Name })
		s.targets, s.notMeasured = append(s.targets, arms...), append(s.notMeasured, absent...)
		s.assembled[deployed.Name] = f
	}
	if len(s.targets) == 0 {
		return nil, errors.New(arm.Reasons(s.notMeasured))
	}
	return s, nil
}

// targetsOf returns the arms of a function, each of which is like the target otherwise, and those that the lab, where
// DeployedAt is zero, lacks or that are measured under load only.
func targetsOf(f assembly.Function, like measure.Target, load bool, layer func(logicalID string) string) (arms []measure.Target, absent []arm.NotMeasured) {
	like.PackageSizeBytes = f.PackageSizeBytes
	identities, set := f.Identity.Arms()
	for i, id := range identities {
		why := ""
		if like.DeployedAt.IsZero() {
			why = arm.NotInLab(id)
		}
		if !load {
			why = cmp.Or(why, arm.LoadOnly(id, set[i]))
		}
		if why != "" {
			absent = append(absent, arm.NotMeasured{Arm: id.Arm, Why: why})
			continue
		}
		t := like
		if t.Identity, t.Set = id, set[i]; len(identities) > 1 {
			t.Of = like.FunctionName
		}
		t.Set.Layers = nil
		for _, id := range set[i].Layers {
			t.Set.Layers = append(t.Set.Layers, layer(id))
		}
		arms = append(arms, t)
	}
	return arms, absent
}

func newAWS(cfg aws.Config) *source {
	return &source{name: record.AWS, config: cfg, region: cfg.Region, client: measure.NewClient(cfg), digests: map[string]string{},
		assembled: map[string]assembly.Function{}, warnings: elsewhere("AWS_ENDPOINT_URL_LAMBDA"), close: func() error { return nil }}
}

// elsewhere warns if the environment names an endpoint in place of AWS's own.
func elsewhere(service string) []string {
	endpoint := cmp.Or(os.Getenv(service), os.Getenv("AWS_ENDPOINT_URL"))
	if endpoint == "" {
		return nil
	}
	return []string{"AWS_ENDPOINT_URL names " + endpoint + ": these are the figures of whatever answers there, not necessarily of AWS"}
}

// nearest lists the most similar known names.
func nearest(name string, known []string) string {
	known = slices.Compact(slices.Sorted(slices.Values(known)))
	slices.SortStableFunc(known, func(a, b string) int {
		return cmp.Compare(levenshtein.Distance(name, a, nil), levenshtein.Distance(name, b, nil))
	})
	text := "there are " + strings.Join(known[:min(len(known), 3)], ", ")
	if more := len(known) - 3; more > 0 {
		text += fmt.Sprintf(" and %d more: twinstart run --list", more)
	}
	return text
}
