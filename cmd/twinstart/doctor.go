package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	goio "io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"golang.org/x/mod/semver"

	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/root"
	"github.com/twinstart/twinstart/packages/builder"
)

// doctorCommand checks this machine and the AWS account.
type doctorCommand struct {
	Local   bool     `help:"Look at this machine alone, not at an AWS account."`
	Prepare []string `placeholder:"RUNTIME,..." help:"Make the lab's stand-ins for these managed runtimes, such as nodejs22.x,python3.13: downloads from npm, PyPI and Maven by your own configuration of their clients, once."`
	Root    string   `placeholder:"LISTING" help:"Compare what handler inspect answered on Lambda (a file, or - for standard input) with the lab, and nothing else."`
}

// finding is the result of one check.
type finding struct {
	state  state
	what   string
	detail string // what was found, or how to get it
}

type state string

const (
	fine    state = "ok"
	without state = "--"
	needed  state = "!!"
)

// Run prints a line for each check.
func (c *doctorCommand) Run(ctx context.Context, io streams) error {
	if c.Root != "" {
		return compareRoots(ctx, io, c.Root)
	}
	if len(c.Prepare) > 0 {
		return c.prepare(ctx, io)
	}
	found := local(ctx)
	if !c.Local {
		found = append(found, accountFindings(ctx)...)
	}
	return tell(io.out, found)
}

// prepare makes stand-ins for managed runtimes. If one fails, the others are still made.
func (c *doctorCommand) prepare(ctx context.Context, io streams) error {
	var failures []error
	for _, name := range c.Prepare {
		r, err := lab.PrepareRuntime(ctx, name, io.err)
		if err == nil {
			fmt.Fprintf(io.out, "%s  %-14s %s, in %s\n", fine, name, r.Label, r.Dir)
		}
		failures = append(failures, err)
	}
	return oneOf(failures)
}

func tell(out goio.Writer, found []finding) error {
	bad := false
	for _, f := range found {
		fmt.Fprintf(out, "%s  %-14s %s\n", f.state, f.what, f.detail)
		bad = bad || f.state == needed
	}
	if bad {
		return errFinding
	}
	return nil
}

// tool is a program that is needed.
type tool struct {
	name    string
	version []string // arguments that print it
	least   string   // least version, such as 1.26; "" for any
	absent  state
	remedy  string
}

var tools = []tool{
	{"go", []string{"version"}, "1.26", needed, "install Go 1.26: it builds the bootstraps"},
	{"node", []string{"--version"}, "20.0", needed, "install Node.js 22: the CDK runs on it"},
	{filepath.Join("node_modules", ".bin", "cdk"), []string{"--version"}, "2.1148", needed, "make setup, in a clone, installs the CDK CLI that package.json pins"},
	{"python3", []string{"--version"}, "3.9", without, "install Python 3.10: make test-deploy needs it, and one way to a static Bash"},
	{"upx", []string{"--version"}, "", without, "install upx: arm rawtcp-upx is not measured"},
	{"mkfs.ext4", []string{"-V"}, "", without, "install e2fsprogs: cold packages in the lab fall back to posix_fadvise"},
}

// local checks this machine.
func local(ctx context.Context) []finding {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	var found []finding
	_, err := os.Stat("package.json")
	for _, t := range tools {
		if err != nil { // the CDK and what builds bootstraps are a clone's
			t.absent = without
		}
		found = append(found, t.look(ctx))
	}
	return append(append(found, images(ctx)), labFindings()...)
}

// look checks a tool and its version.
func (t tool) look(ctx context.Context) finding {
	name := filepath.Base(t.name)
	path, err := exec.LookPath(t.name)
	if err != nil && name == t.name { // not in every user's PATH
		path, err = exec.LookPath(filepath.Join("/usr/sbin", t.name))
	}
	if err != nil {
		return finding{t.absent, name, t.remedy}
	}
	text, err := exec.CommandContext(ctx, path, t.version...).CombinedOutput()
	said := oneLine(string(text))
	switch {
	case err != nil:
		return finding{t.absent, name, fmt.Sprintf("%s does not run (%s): %s", path, cmp.Or(said, err.Error()), t.remedy)}
	case older(said, t.least):
		return finding{t.absent, name, said + " is too old: " + t.remedy}
	}
	return finding{fine, name, said}
}

var twoNumbers = regexp.MustCompile(`[0-9]+\.[0-9]+`)

// older compares the first two numbers of a program's version, such as "go version go1.26.8 linux/amd64", with the
// least version. It returns false if there are no numbers.
func older(said, least string) bool {
	has := "v" + twoNumbers.FindString(said)
	return least != "" && semver.IsValid(has) && semver.Compare(has, "v"+least) < 0
}

// images checks for a program that builds container images.
func images(ctx context.Context) finding {
	if client, version := builder.Client(ctx); client != "" {
		return finding{fine, "images", strings.TrimSpace(client + " " + oneLine(version))}
	}
	return finding{without, "images", "neither docker nor podman nor finch runs: make deploy builds images by itself (cmd/cdk-docker)"}
}

// labFindings checks whether the lab works here.
func labFindings() []finding {
	warnings, err := lab.Look()
	if err != nil {
		return []finding{{without, "lab", oneLine(err.Error())}}
	}
	found := []finding{{fine, "lab", "execution environments can be made here"}}
	for _, warning := range warnings {
		found = append(found, finding{without, "lab", warning})
	}
	return found
}

// lookTime bounds the time of the checks that ask others.
const lookTime = 30 * time.Second

// oneLine returns the first line that is not empty.
func oneLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}

// maxListing bounds a listing: far more than handlers/inspect returns.
const maxListing = 6 << 20

// compareRoots prints the differences between a listing and the lab on this machine.
func compareRoots(ctx context.Context, io streams, name string) error {
	text, err := readInput(name, maxListing)
	if err != nil {
		return fmt.Errorf("reading a listing: %w", err)
	}
	listing, err := root.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	here, err := lab.Inspect(ctx, lab.Options{ReadAheadKiB: lab.DefaultReadAheadKiB})
	if err != nil {
		return err
	}
	differ := root.Compare(listing, here)
	unexplained := 0
	for _, d := range differ {
		state := without
		if d.Reason == "" {
			state, unexplained = needed, unexplained+1
		}
		fmt.Fprintf(io.out, "%s  %s: %s there, %s in the lab", state, d.Name, said(d.Lambda), said(d.Lab))
		if d.Reason != "" {
			fmt.Fprintf(io.out, " (%s)", d.Reason)
		}
		fmt.Fprintln(io.out)
	}
	fmt.Fprintf(io.out, "%d facts there, %d in the lab: %d differ, %d of them for no reason that is known\n", len(listing), len(here), len(differ), unexplained)
	if unexplained > 0 {
		return errFinding
	}
	return nil
}

func said(value string) string { return cmp.Or(value, "nothing") }

const (
	// anyRegion is used to check credentials when no region is configured: they are the same everywhere in a partition.
	anyRegion = "us-east-1"
	// bootstrapParameter is where `cdk bootstrap` leaves its version, by qualifier.
	// https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
	bootstrapParameter = "/cdk-bootstrap/%s/version"
	// plainQualifier is that of a bootstrap stack that was given no other, qualifierKey names another in cdk.json.
	plainQualifier, qualifierKey = "hnb659fds", "@aws-cdk/core:bootstrapQualifier"
	// minBootstrap is the version that our template asks for.
	minBootstrap = 6
	// fewEnvironments is what a new account may start with; the driver needs one environment at a time, others need
	// theirs.
	fewEnvironments = 10
	// lowCodeSpace is little beside what all functions of an account and region may store, 75 GB unless it was raised.
	lowCodeSpace = 1 << 30
)

// accountFindings checks the AWS account of the environment. Credentials can be checked without a region; the other
// checks need both.
func accountFindings(ctx context.Context) []finding {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	cfg, err := account.Config(ctx)
	if err != nil {
		return []finding{{needed, "AWS", oneLine(err.Error())}}
	}
	cfg.RetryMaxAttempts = 2
	found := []finding{{fine, "region", cfg.Region}}
	if cfg.Region == "" {
		found[0] = finding{needed, "region", "set AWS_REGION, or a region in your AWS_PROFILE (the lab needs neither: --local)"}
		cfg.Region = anyRegion
	}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return append(found, finding{needed, "credentials",
			fmt.Sprintf("none that work (%s): aws sso login, or set AWS_PROFILE (the lab needs none: --local)", oneLine(innermost(err).Error()))})
	}
	found = append(found, finding{fine, "credentials", "account " + aws.ToString(who.Account) + ", " + aws.ToString(who.Arn)})
	if found[0].state != fine {
		return found
	}
	return append(found, bootstrapped(ctx, cfg, aws.ToString(who.Account)), quota(ctx, cfg))
}

// innermost returns the cause at the end of a chain: the SDK's shortest message.
func innermost(err error) error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}

// bootstrapped checks the version of the CDK's bootstrap stack in the account and region.
func bootstrapped(ctx context.Context, cfg aws.Config, accountID string) finding {
	remedy, which := fmt.Sprintf("node_modules/.bin/cdk bootstrap aws://%s/%s", accountID, cfg.Region), qualifier()
	if which != plainQualifier {
		remedy += " --qualifier " + which
	}
	answer, err := ssm.NewFromConfig(cfg).GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String(fmt.Sprintf(bootstrapParameter, which))})
	if _, ok := errors.AsType[*types.ParameterNotFound](err); ok {
		return finding{needed, "bootstrap", "this account and region are not bootstrapped: " + remedy}
	} else if err != nil {
		// A user who may only assume the CDK's roles can deploy, but cannot read the parameter.
		return finding{without, "bootstrap", "cannot be looked at (" + oneLine(innermost(err).Error()) + "); cdk deploy says if it is missing: " + remedy}
	}
	version, err := strconv.Atoi(aws.ToString(answer.Parameter.Value))
	if err != nil || version < minBootstrap {
		return finding{needed, "bootstrap", fmt.Sprintf("version %s, %d is needed: %s", aws.ToString(answer.Parameter.Value), minBootstrap, remedy)}
	}
	return finding{fine, "bootstrap", "version " + strconv.Itoa(version)}
}

// qualifier returns the qualifier of the bootstrap stack. A shared account may have several stacks.
func qualifier() string {
	var file struct{ Context map[string]any }
	text, err := os.ReadFile("cdk.json")
	if err != nil || json.Unmarshal(text, &file) != nil {
		return plainQualifier
	}
	if own, ok := file.Context[qualifierKey].(string); ok && own != "" {
		return own
	}
	return plainQualifier
}

// quota checks Lambda's limits in the account and region.
func quota(ctx context.Context, cfg aws.Config) finding {
	s, err := lambda.NewFromConfig(cfg).GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil || s.AccountLimit == nil {
		return finding{without, "quota", "cannot be read: allow lambda:GetAccountSettings to know"}
	}
	concurrency := s.AccountLimit.ConcurrentExecutions
	free := s.AccountLimit.TotalCodeSize
	if s.AccountUsage != nil {
		free -= s.AccountUsage.TotalCodeSize
	}
	text := fmt.Sprintf("%d concurrent executions, %.1f GB left for ZIP files", concurrency, float64(free)/(1<<30))
	switch {
	case concurrency <= fewEnvironments:
		return finding{without, "quota", text + ": little for a run beside other functions; ask Service Quotas for more (L-B99A9384)"}
	case free < lowCodeSpace:
		return finding{without, "quota", text + ": delete old versions of functions"}
	}
	return finding{fine, "quota", text}
}
