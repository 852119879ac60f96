// Command infra is the CDK app: it writes the experiment that `-c` describes into a cloud assembly, which `cdk deploy`
// stands up on AWS and the lab runs here. The CDK CLI calls it, see cdk.json.
//
// # Context
//
//	-c experiment=NAME               names the stack, Twinstart-NAME, and the records (default packaging). snapstart also crosses every
//	                                 image with SnapStart, unprimed and primed, see docs/snapstart.md; levers changes one thing at a
//	                                 time, see docs/levers.md
//	-c levers=NAME[,NAME]            which of those that docs/levers.md lists (default all that need no more than others; size alone is
//	                                 experiment sizes); -c sizes=MB[,MB] gives it others
//	-c arms=GLOB[,GLOB]              nethttp/*  */zip  rawtcp*/zip; a glob without a slash is of bootstraps (default all)
//	-c functions=NAME[,NAME]         of experiment languages, docs/languages.md: wave, client, warmup, save, search, search-concurrent (default wave, search);
//	                                 -c languages=NAME[,NAME] and -c package=zip,image go with it (default every language, zip)
//	-c architecture=arm64|x86_64     (default arm64)
//	-c memory=MB[,MB]                128 to 10240; several cross every arm with every memory (default 1024)
//	-c handler=NAME                  a folder below handlers/ (default echo)
//	-c packages=PATH[,PATH]          packages of your own, folders or ZIP files: each is deployed as a ZIP and as an image, and the
//	                                 experiment is called own; -c runtime=NAME (default provided.al2023) and -c handler=NAME go with it
//	-c observe=PART[,PART]|none      what CloudWatch shows, of dashboard, metrics, alarms, queries, contributors (default dashboard, alarms, queries)
//	-c tuning=on|off                 the state machine that tunes the functions' memory, see docs/tuning.md (default on)
//
// Options of all functions, each off unless given; docs/options.md says what each costs:
//
//	-c tracing=active|passthrough    X-Ray
//	-c provisioned=N|MIN-MAX         provisioned concurrency of an alias "live"; a range is held at 70 % utilization
//	-c reserved=N                    reserved concurrency
//	-c vpc=new                       isolated subnets of their own; or -c vpc=vpc-ID -c subnets=subnet-ID,subnet-ID
//	-c url=iam                       a function URL for signed requests
//	-c logs=experiment               one log group for all functions, in place of one each
//	-c kms=new|ARN                   the key of environment variables
//	-c dlq=sqs                       a dead-letter queue
//	-c tmp=MB                        ephemeral storage, 512 to 10240
//
// cdk.json has the feature flags that CDK 2.260.0 recommends, except annotationsInValidationReport. With that one the
// first warning makes the CDK read every file of the assembly twice. It fails at the link to Bash in a minimal image,
// whose target exists only when the image is built.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	_ "github.com/twinstart/twinstart/infra/quietnode"
	"github.com/twinstart/twinstart/packages"
)

const exitUsage = 2 // nothing was synthesized; standard error says why

func main() {
	stderr := os.Stderr
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	end := standIn(ctx)
	err := run(ctx, os.Args[1:], stderr)
	end()
	stop()
	if err != nil {
		fmt.Fprintln(stderr, "twinstart:", err)
	}
	jsii.Close() // ends its process and removes its temporary files
	if err != nil {
		os.Exit(exitUsage)
	}
}

// run synthesizes into the folder that the CDK CLI names in the environment.
func run(ctx context.Context, args []string, stderr io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q: options are context, as in `cdk synth -c architecture=x86_64`", args[0])
	}
	err := catch(func() error {
		building, cancel := context.WithCancel(ctx)
		builder := interruptible{building, &packages.Workspace{Dir: buildDir, Log: stderr}}
		var ahead sync.WaitGroup
		ahead.Go(func() { headStart(building, os.Getenv(contextVariable), builder) })
		defer ahead.Wait()
		defer cancel()
		app := awscdk.NewApp(appProps())
		if _, err := define(app, builder); err != nil {
			return err
		}
		app.Synth(nil)
		return nil
	})
	if err != nil && ctx.Err() != nil { // the terminal also interrupts jsii's process, which then causes errors of all kinds
		return errors.New("interrupted: nothing was synthesized")
	}
	return tooMany(err)
}

// interruptible gives its own context to builds that constructs start, because constructs have none.
type interruptible struct {
	ctx     context.Context
	builder bashfunction.Builder
}

func (i interruptible) ZIP(_ context.Context, bootstrap string, a arm.Architecture, handlerDir string) (string, error) {
	return i.builder.ZIP(i.ctx, bootstrap, a, handlerDir)
}

func (i interruptible) ImageContext(_ context.Context, p arm.Package, bootstrap string, a arm.Architecture, handlerDir string) (string, error) {
	return i.builder.ImageContext(i.ctx, p, bootstrap, a, handlerDir)
}

// overLimit matches the CDK's message that CloudFormation would refuse a stack.
var overLimit = regexp.MustCompile(`Number of resources in stack '[^']*': (\d+) is greater than allowed maximum of (\d+)`)

// tooMany says what to leave out if a stack is too large.
func tooMany(err error) error {
	if err == nil {
		return nil
	}
	if found := overLimit.FindStringSubmatch(err.Error()); found != nil {
		return fmt.Errorf("the stack would have %s resources, and CloudFormation takes %s: choose fewer arms (-c arms=...) or memory sizes (-c memory=...), or leave parts of CloudWatch out (-c observe=none)",
			found[1], found[2])
	}
	return err
}

// define adds what the app's context describes.
func define(app awscdk.App, builder bashfunction.Builder) (awscdk.Stack, error) {
	context, _ := app.Node().GetAllContext(nil).(map[string]any)
	s, err := readSettings(context)
	if err != nil {
		return nil, err
	}
	if s.Experiment == languagesName {
		return newLanguagesStack(app, s)
	}
	if s.levers() {
		return newLeversStack(app, s, builder)
	}
	if len(s.Packages) > 0 {
		return newOwnStack(app, s)
	}
	return newStack(app, s, builder)
}

// catch turns a panic, by which the CDK reports errors, into a one-line error. A mistake of this program, a
// runtime.Error, keeps its stack trace.
func catch(f func() error) (err error) {
	defer func() {
		switch thrown := recover().(type) {
		case nil:
		case runtime.Error:
			panic(thrown)
		case error:
			if errors.Is(thrown, exec.ErrNotFound) { // jsii starts only this program
				thrown = fmt.Errorf("starting the CDK: %w: install Node.js 22 or later", thrown)
			}
			err = errors.New(oneLine(thrown.Error()))
		default:
			err = errors.New(oneLine(fmt.Sprint(thrown)))
		}
	}()
	return f()
}

// appProps leaves out stack traces. They are those of the jsii kernel, not of this app, and contain names of its
// temporary folders.
func appProps() *awscdk.AppProps {
	return &awscdk.AppProps{
		AnalyticsReporting: jsii.Bool(false),
		StackTraces:        jsii.Bool(false),
		Context:            &map[string]any{"aws:cdk:disable-creation-stack-traces": true},
	}
}

// buildDir is shared with `make bootstraps`.
const buildDir = "build"

// oneLine returns the part of a JavaScript error before its stack trace, in one line.
func oneLine(message string) string {
	message, _, _ = strings.Cut(message, "\n    at ")
	return strings.Join(strings.Fields(message), " ")
}

// standIn replaces os.Stderr, to which jsii writes, by a pipe, and copies the pipe to standard error until ctx
// ends. A terminal also interrupts jsii's process, which then writes a stack trace. end copies the rest and then
// nothing more: jsii-runtime-go waits for its process twice, and the second wait reports "Runtime process exited
// abnormally: waitid: no child processes".
func standIn(ctx context.Context) (end func()) {
	stderr := os.Stderr
	out, in, err := os.Pipe()
	if err != nil { // no descriptors are left, and something else will report that
		return func() {}
	}
	os.Stderr = in
	var interrupted atomic.Bool
	stop := context.AfterFunc(ctx, func() { interrupted.Store(true) })
	passed := make(chan struct{})
	go func() {
		defer close(passed)
		buffer := make([]byte, 32<<10)
		for {
			n, err := out.Read(buffer)
			if !interrupted.Load() {
				_, _ = stderr.Write(buffer[:n]) // an error cannot be reported anywhere
			}
			if err != nil {
				return
			}
		}
	}()
	return func() {
		in.Close()
		<-passed
		stop()
		out.Close()
	}
}
