// Command infra is the CDK app. It writes the experiment that `-c` describes into a cloud assembly. `cdk deploy` brings
// the assembly to AWS, and the lab runs it on this machine. The CDK CLI calls the app, see cdk.json.
//
// # Context
//
//	-c experiment=NAME               names the stack, Twinstart-NAME, and the records (default packaging).
//	                                 snapstart also crosses every image with SnapStart, unprimed and primed
//	                                 (docs/snapstart.md); levers changes one thing at a time (docs/levers.md);
//	                                 sizes is levers with the lever size alone
//	-c levers=NAME[,NAME]            see docs/levers.md (default all but tracked, vpc, code and size)
//	-c sizes=MB[,MB]                 other sizes for the lever size
//	-c arms=GLOB[,GLOB]              nethttp/*  */zip  rawtcp*/zip; a glob without a slash names bootstraps (default all)
//	-c functions=NAME[,NAME]         for experiment languages (docs/languages.md): wave, client, warmup, save, search,
//	                                 search-concurrent (default wave, search)
//	-c languages=NAME[,NAME]         for experiment languages (default every language), and for the lever code
//	-c package=zip,image             for experiment languages (default zip)
//	-c architecture=arm64|x86_64     (default arm64)
//	-c memory=MB[,MB]                128 to 10240; several cross every arm with every memory (default 1024)
//	-c handler=NAME                  a folder below handlers/ (default echo); snapstart and levers have their own
//	                                 defaults for arms and handler
//	-c packages=PATH[,PATH]          your own packages, folders or ZIP files. Each is deployed as a ZIP and as an image,
//	                                 and the experiment is called own
//	-c runtime=NAME                  for -c packages (default provided.al2023); -c handler=NAME is then their handler
//	-c observe=PART[,PART]|none      what CloudWatch shows: dashboard, metrics, alarms, queries, contributors
//	                                 (default dashboard, alarms, queries)
//	-c tuning=on|off                 the state machine that tunes the functions' memory, see docs/tuning.md (default on)
//
// Options of all functions, each off unless given; docs/options.md says what each costs:
//
//	-c tracing=active|passthrough    X-Ray
//	-c provisioned=N|MIN-MAX         provisioned concurrency of an alias "live"; in a range, utilization is held at 70 %
//	-c reserved=N                    reserved concurrency
//	-c vpc=new                       new isolated subnets; or -c vpc=vpc-ID -c subnets=subnet-ID,subnet-ID
//	-c url=iam                       a function URL for signed requests
//	-c logs=experiment               one log group for all functions, instead of one each
//	-c kms=new|ARN                   the key that encrypts environment variables
//	-c dlq=sqs                       a dead-letter queue
//	-c tmp=MB                        ephemeral storage, 512 to 10240
//
// cdk.json has the feature flags that CDK 2.260.0 recommends, except annotationsInValidationReport. With that flag the
// first warning makes the CDK read every file of the assembly twice. It then fails at the link to Bash in a minimal
// image, because the link's target exists only after the image is built.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/cdk"
	_ "github.com/twinstart/twinstart/infra/quietnode"
	"github.com/twinstart/twinstart/packages"
)

const exitUsage = 2 // nothing was synthesized; standard error says why

func main() {
	stderr := os.Stderr // standIn replaces it
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	end := standIn(ctx)
	err := run(ctx, os.Args[1:], stderr)
	end()
	stop()
	jsii.Close() // ends its process and removes its temporary files
	if err != nil {
		fmt.Fprintln(stderr, "twinstart:", err)
		os.Exit(exitUsage)
	}
}

// run synthesizes into the folder that the CDK CLI names in the environment.
func run(ctx context.Context, args []string, stderr io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q: options are context, as in `cdk synth -c architecture=x86_64`", args[0])
	}
	err := catch(func() error {
		app := awscdk.NewApp(cdk.AppProps())
		if _, err := define(ctx, app, &packages.Workspace{Dir: buildDir, Log: stderr}); err != nil {
			return err
		}
		app.Synth(nil)
		return nil
	})
	if err != nil && ctx.Err() != nil { // the terminal also interrupts jsii's process, which causes all kinds of errors
		return errors.New("interrupted: nothing was synthesized")
	}
	return err
}

// define adds what the app's context describes. Builds end with ctx.
func define(ctx context.Context, app awscdk.App, builder bashfunction.Builder) (awscdk.Stack, error) {
	values, _ := app.Node().GetAllContext(nil).(map[string]any)
	s, err := readSettings(values)
	if err != nil {
		return nil, err
	}
	interruptible := interruptible{ctx, builder}
	switch {
	case s.Experiment == languagesName:
		return newLanguagesStack(ctx, app, s)
	case s.levers():
		return newLeversStack(app, s, interruptible)
	case len(s.Packages) > 0:
		return newOwnStack(app, s)
	}
	return newStack(app, s, interruptible)
}
