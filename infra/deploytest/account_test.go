//go:build deploy

package deploytest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	sdk "github.com/twinstart/twinstart/bench/account"
)

const region = "us-east-1"

// patience is the time limit for things that take a second on an idle machine.
const patience = 5 * time.Minute

var cdkCLI = filepath.Join(repository, "node_modules", ".bin", "cdk")

// account is an account of MiniStack that no other test uses, with a registry for its images.
type account struct {
	*ministack
	id     string
	front  string // URL of AWS's APIs
	images *registry
	docker string // the value of CDK_DOCKER: our builder, which finds base images
	dir    string // commands write here
}

// openAccount opens an account. MiniStack uses an access key of twelve digits as the account's number.
func openAccount(t *testing.T, id string) *account {
	t.Helper()
	a := &account{ministack: sharedMinistack(t), id: id, images: startRegistry(t), dir: t.TempDir()}
	a.front = startFront(t, a.endpoint, a.images)
	script := "#!/bin/sh\n"
	for _, pair := range startPublicRegistry(t) {
		script += "export " + pair + "\n"
	}
	a.docker = filepath.Join(a.dir, "docker")
	if err := os.WriteFile(a.docker, []byte(script+"exec "+filepath.Join(tools, "cdk-docker")+` "$@"`+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return a
}

// bootstrap runs `cdk bootstrap` in a folder without cdk.json, so that the CLI synthesizes nothing first. Later
// accounts get a copy of the stack that it made in the first one, because the CLI starts slowly.
func (a *account) bootstrap(t *testing.T) {
	t.Helper()
	ctx, name, first := context.Background(), aws.String("CDKToolkit"), false
	a.bootstrapped.once.Do(func() {
		first = true
		a.beginIn(t, a.dir, cdkCLI, "bootstrap", "aws://"+a.id+"/"+region, "--no-notices").done(t)
		client := cloudformation.NewFromConfig(a.config(t))
		a.bootstrapped.parameters = must(client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: name}))(t).Stacks[0].Parameters
		a.bootstrapped.template = must(client.GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: name}))(t).TemplateBody
	})
	switch {
	case first:
		return
	case a.bootstrapped.template == nil:
		t.Fatal("the first account was not bootstrapped, so its stack cannot be copied")
	}
	client := cloudformation.NewFromConfig(a.config(t))
	must(client.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: name, TemplateBody: a.bootstrapped.template, Parameters: a.bootstrapped.parameters,
		Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}}))(t)
	wait := cloudformation.NewStackCreateCompleteWaiter(client, func(o *cloudformation.StackCreateCompleteWaiterOptions) { o.MinDelay = 100 * time.Millisecond })
	if err := wait.Wait(ctx, &cloudformation.DescribeStacksInput{StackName: name}, patience); err != nil {
		t.Fatal(err)
	}
}

// plainEnvironment contains nothing of the user's AWS configuration, so no call can reach a real account.
func plainEnvironment(dir string) []string {
	kept := []string{}
	for _, name := range []string{"PATH", "HOME", "LANG", "GOPATH", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS", "GOTOOLCHAIN", "XDG_CACHE_HOME"} {
		if value, set := os.LookupEnv(name); set {
			kept = append(kept, name+"="+value)
		}
	}
	return append(kept, "AWS_REGION="+region, "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"TMPDIR="+dir, "NO_COLOR=1", "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
}

// environment is the environment of commands. The CDK CLI caches the account of an access key in CDK_HOME.
func (a *account) environment() []string {
	return append(plainEnvironment(a.dir),
		"AWS_ENDPOINT_URL="+a.front, "AWS_ACCESS_KEY_ID="+a.id, "AWS_SECRET_ACCESS_KEY=test",
		"CDK_HOME="+filepath.Join(a.dir, "cdk-home"), "CDK_DISABLE_CLI_TELEMETRY=true", "CDK_DOCKER="+a.docker,
		"CDK_DOCKER_CREDS_FILE="+filepath.Join(a.dir, "none"), "DOCKER_CONFIG="+a.dir, "TWINSTART_IMAGES="+filepath.Join(a.dir, "images"),
		"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=18,20,22,24",
		"NODE_OPTIONS=--require "+filepath.Join(repository, "infra", "deploytest", "codecache.cjs"), "CODE_CACHE="+filepath.Join(repository, "build", "tools", "deploy", "code"))
}

// config is the configuration of the test's own calls.
func (a *account) config(t *testing.T) aws.Config {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(context.Background(), config.WithRegion(region), config.WithBaseEndpoint(a.front),
		config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles([]string{}),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(a.id, "test", "")))
	if err != nil {
		t.Fatal(err)
	}
	cfg.HTTPClient = sdk.HTTPClient{BuildableClient: awshttp.NewBuildableClient()}
	return cfg
}

// run runs a command in the repository and returns what it printed. The command must not hide its status in a pipe.
func (a *account) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	return a.begin(t, name, args...).done(t)
}

// cdk runs the pinned CDK CLI.
func (a *account) cdk(t *testing.T, args ...string) string {
	t.Helper()
	return a.run(t, cdkCLI, args...)
}

// running is a command that may still run.
type running struct {
	wait func() (output string, err error)
	what string
}

// begin starts a command in the repository.
func (a *account) begin(t *testing.T, name string, args ...string) running {
	t.Helper()
	return a.beginIn(t, repository, name, args...)
}

func (a *account) beginIn(t *testing.T, dir, name string, args ...string) running {
	t.Helper()
	var output bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, a.environment(), &output, &output
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	what, took, cpu := filepath.Base(name)+" "+args[0], time.Duration(0), time.Duration(0)
	ended := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		took, cpu = time.Since(began), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
		ended <- err
	}()
	return running{what: what, wait: sync.OnceValues(func() (string, error) {
		err := <-ended
		t.Logf("%5.1f s, %4.1f s of CPU  %s", took.Seconds(), cpu.Seconds(), what)
		if err != nil {
			err = fmt.Errorf("%w\nMiniStack's log ends:\n%s", err, a.logTail())
		}
		return output.String(), err
	})}
}

// done waits for a command that must succeed.
func (r running) done(t *testing.T) string {
	t.Helper()
	output, err := r.wait()
	if err != nil {
		t.Fatalf("%s: %v\n%s", r.what, err, output)
	}
	return output
}

// failing waits for a command that must fail.
func (r running) failing(t *testing.T) string {
	t.Helper()
	output, err := r.wait()
	if err == nil {
		t.Errorf("%s succeeded, but it must fail", r.what)
	}
	return output
}
