package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/assembly"
)

// source is an open source of functions: a client of Lambda's API, and the arms behind it.
type source struct {
	name        record.Source
	config      aws.Config // AWS only
	client      *lambda.Client
	targets     []measure.Target
	notMeasured []arm.NotMeasured
	lacking     []arm.NotMeasured // the part of notMeasured that was asked for by name
	warnings    []string
	digests     map[string]string            // arm -> digest of its deployment package
	template    string                       // AWS only: the template's file
	assembled   map[string]assembly.Function // AWS only: the template's functions, by their deployed names
	foreign     bool                         // AWS only: anybody may have deployed the functions
	close       func() error
}

// subject says what is measured, and where.
type subject struct {
	source record.Source
	functionFlags
	args      []string // packages by path, arms by pattern; empty means every function of the assembly
	functions []string // deployed functions, in place of args
	qualifier string   // the version or alias of functions; "" for $LATEST
}

func open(ctx context.Context, s subject, std streams) (*source, error) {
	if s.source == record.AWS {
		return openAWS(ctx, s, std)
	}
	return openLab(ctx, s, std)
}

// targetsOf returns a target for each arm of a function; everything else in a target comes from like. absent are the
// arms that only AWS can measure (like.DeployedAt is zero in the lab), or that only a load can measure.
func targetsOf(f assembly.Function, like measure.Target, load bool, layer func(logicalID string) string) (
	arms []measure.Target, absent []arm.NotMeasured) {
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

// assemblyFlags select the assembly and its stack.
type assemblyFlags struct {
	Assembly string `json:"assembly" group:"what" default:"cdk.out" placeholder:"DIR"`
	Stack    string `json:"stack" group:"what" placeholder:"NAME"`
}

// read reads the assembly. If the default assembly does not exist, the error explains how to start.
func (f assemblyFlags) read() (*assembly.Assembly, error) {
	if _, err := os.Stat(f.Assembly); f.Assembly == defaultAssembly && errors.Is(err, fs.ErrNotExist) {
		return nil, errNoAssembly
	}
	return assembly.Read(f.Assembly)
}

var errNoAssembly = errors.New("there is no " + defaultAssembly + " here: run `npx cdk synth` in an application's " +
	"folder first, or give a package (twinstart run function.zip)")

const defaultAssembly = "cdk.out"

type labFlags struct {
	ReadAhead int        `json:"readAheadKiB" group:"lab" default:"128" placeholder:"KIB"`
	InitCPU   string     `json:"initCPU" group:"lab" default:"full" enum:"full,proportional"`
	BaseRoot  string     `json:"baseRoot" group:"lab" placeholder:"DIR"`
	Network   string     `json:"-" group:"lab" default:"own" enum:"own,host"`
	Allow     []lab.Door `json:"-" group:"lab" placeholder:"NAME=URL"`
	State     string     `json:"-" group:"lab" placeholder:"DIR"`

	// TableLatency is the service time of the assembly's DynamoDB tables.
	TableLatency time.Duration `json:"dynamoDBLatency" group:"lab" name:"dynamodb-latency" default:"4ms"`

	counter *packageCounter // set by a run, which predicts from counts
	load    *measure.Load   // set by a load
}

func (f labFlags) labOptions(of *named) lab.Options {
	o := lab.Options{Functions: of.functions, TableLatency: f.TableLatency, ReadAheadKiB: f.ReadAhead,
		ProportionalInit: f.InitCPU == "proportional", BaseRoot: f.BaseRoot, StateDir: f.State,
		HostNetwork: f.Network == "host", Allow: f.Allow, Measured: true}
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

// functionFlags name functions and say how to start them in the lab.
type functionFlags struct {
	assemblyFlags
	labFlags
	variantFlags `json:"variants"`
}

// measureFlags say what run and load measure, where, and where records go. Flags with a name in JSON are stored in
// run.json as the run's options; --resume reads them from there.
type measureFlags struct {
	functionFlags
	analysisFlags `json:"-"`
	deployedFlags
	Packages []string      `json:"packages" arg:"" optional:"" name:"path|arm"`
	Source   record.Source `json:"-" group:"where" default:"lab" enum:"lab,aws"`
	Arms     string        `json:"arms" group:"what" placeholder:"GLOB,..."`
	Seed     uint64        `json:"-" group:"many"`
	Event    string        `json:"event" group:"what" placeholder:"FILE"`
	Out      string        `json:"-" group:"output" placeholder:"DIR"`
	List     bool          `json:"-" group:"what"`
	Resume   bool          `json:"-" group:"output"`
	Pace     time.Duration `json:"paceNs" group:"where" default:"100ms"`
}
