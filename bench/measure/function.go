package measure

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/record/runfile"
)

// NonceVariable is the environment variable whose change makes Lambda start new execution environments. A run uses
// either this variable or PhasesVariable, which also asks bootstraps to log when they reached which phase; the
// value is a nonce. A run removes its variable at the end. If it was killed, the next run does that.
const (
	NonceVariable  = "TWINSTART_NONCE"
	PhasesVariable = "TWINSTART_PHASES"
)

// nonce matches the value of a run, not a user's own value, which is 0 or 1.
var nonce = regexp.MustCompile(`^[A-Z2-7]{12}$`)

// own returns the environment without a run's variable. left reports whether there was one.
func own(now *Config) (env map[string]string, left bool) {
	env = map[string]string{}
	if now.Environment != nil {
		maps.Copy(env, now.Environment.Variables)
	}
	for _, name := range []string{NonceVariable, PhasesVariable} {
		if nonce.MatchString(env[name]) {
			delete(env, name)
			left = true
		}
	}
	return env, left
}

// function is a target while it is measured. Its methods must be called one at a time.
type function struct {
	Target
	Control
	opts *Options
	url  *functionURL // where a load goes to; nil is Invoke

	known    *Config // as it was last seen; if it differs, somebody else has changed it
	nonce    string  // of the last forced cold start
	version  string  // that is measured, with SnapStart; "" is $LATEST
	pending  bool    // an update was sent and its end was not seen, so the revision of known may be old
	woken    bool    // it was inactive, because nobody had called it for weeks
	fresh    int     // number of cold starts that count as the first after deployment
	failures int     // failed calls in a row
	dropped  string  // why it is no longer measured
}

// prepare waits for an update by somebody else and remembers the configuration, which must not change from then on.
func (f *function) prepare(ctx context.Context, begin time.Time) error {
	now, err := f.awake(ctx)
	if err != nil {
		return err
	}
	if now.Environment != nil && now.Environment.Error != nil {
		return fmt.Errorf("environment variables of %s cannot be read (%s): a forced cold start would erase them; allow kms:Decrypt",
			f.FunctionName, aws.ToString(now.Environment.Error.ErrorCode))
	}
	f.known = now // restore removes what an earlier run has left, even if this run measures nothing
	if f.Unlike != "" {
		return errors.New(f.Unlike)
	}
	if f.Deployed != nil {
		if what := DeployedOf(now).Differs(*f.Deployed); what != "" {
			return fmt.Errorf("%s: %w (%s)", f.FunctionName, ErrForeign, what)
		}
	}
	if f.SnapStart {
		if err := f.sweep(ctx); err != nil {
			return err
		}
	}
	if l := f.opts.Load; l != nil && l.ViaURL {
		if f.url, err = f.findURL(ctx); err != nil {
			return err
		}
	}
	modified, _ := time.Parse("2006-01-02T15:04:05.999-0700", aws.ToString(now.LastModified))
	deployed := f.DeployedAt
	if deployed.IsZero() {
		deployed = modified
	}
	// If it was changed after its deployment, an earlier run has had the first starts.
	if f.opts.Fresh == 0 || deployed.After(begin.Add(-f.opts.Fresh)) && !modified.After(deployed) {
		f.fresh = f.opts.FirstAfterDeploy
	}
	return nil
}

// awake returns the configuration, like Settle. Lambda deactivates a function that nobody has called for weeks. It
// refuses the next call, but that call activates the function.
// See https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html.
func (f *function) awake(ctx context.Context) (*Config, error) {
	for begin := time.Now(); ; {
		now, err := f.Settle(ctx, "", "")
		if err != nil || now.State != types.StateInactive {
			return now, err
		}
		f.woken = true
		if _, err = f.API.Invoke(ctx, &lambda.InvokeInput{FunctionName: &f.FunctionName, Payload: f.Payload(f.opts.Payload)}, Once); Refused(err) {
			return nil, Brief(err)
		}
		if time.Since(begin) > f.Ready {
			return nil, fmt.Errorf("%s is still Inactive %v after it was called: %w", f.FunctionName, f.Ready, ErrNotReady)
		}
		if err := f.pause(ctx, begin); err != nil {
			return nil, err
		}
	}
}

// forceCold makes the next invocation a cold start.
func (f *function) forceCold(ctx context.Context) error {
	env, _ := own(f.known)
	name := NonceVariable
	if _, users := env[PhasesVariable]; f.opts.Phases && !users {
		name = PhasesVariable
	}
	f.nonce = rand.Text()[:12]
	env[name] = f.nonce
	return f.update(ctx, env)
}

// restore removes the variable of any run and keeps everything else that the function has become.
func (f *function) restore(ctx context.Context) (err error) {
	for tries := 0; f.known != nil && tries < 5; tries++ {
		if f.pending {
			err = f.verify(ctx)
		}
		env, left := own(f.known)
		if !f.pending && !left {
			return nil
		}
		if err == nil || errors.Is(err, ErrForeign) {
			err = f.update(ctx, env)
		}
		if !errors.Is(err, ErrForeign) {
			break
		}
	}
	return err
}

// verify checks that the function is what it was. Another revision with the same configuration is accepted, because
// Lambda itself makes some. A failed update has left the function as it was.
func (f *function) verify(ctx context.Context) error {
	now, err := f.Settle(ctx, "", "")
	if now == nil {
		return err
	}
	return f.take(now)
}

// take replaces the known configuration, and returns an error if somebody else has changed it.
func (f *function) take(now *Config) error {
	was := f.known
	f.known, f.pending = now, false
	if what := difference(was, now); what != "" {
		return fmt.Errorf("%w (%s)", ErrForeign, what)
	}
	return nil
}

// difference names what has changed, apart from a run's variable. It does not show values of the environment, which
// may be secret.
func difference(was, now *Config) string {
	if what := DeployedOf(now).Differs(DeployedOf(was)); what != "" {
		return what
	}
	before, _ := own(was)
	after, _ := own(now)
	switch {
	case !maps.Equal(before, after):
		return "environment variables"
	case settings(was) != settings(now):
		return "timeout, handler, layers, /tmp or network"
	}
	return ""
}

func settings(c *Config) string {
	all, _ := json.Marshal([]any{c.Timeout, c.Handler, c.Runtime, c.Layers, c.EphemeralStorage, c.ImageConfigResponse, c.VpcConfig, SnapStart(c)}) // text and numbers can always be encoded
	return string(all)
}

// SnapStart reports whether Lambda takes a snapshot of each version that is published.
func SnapStart(c *Config) bool {
	return c.SnapStart != nil && c.SnapStart.ApplyOn == types.SnapStartApplyOnPublishedVersions
}

// DeployedOf returns what a configuration says about what is measured.
func DeployedOf(c *Config) runfile.Deployed {
	d := runfile.Deployed{Function: aws.ToString(c.FunctionName), MemorySizeMB: int(aws.ToInt32(c.MemorySize)), PackageType: string(c.PackageType),
		CodeSizeBytes: c.CodeSize, CodeSHA256: aws.ToString(c.CodeSha256)}
	if len(c.Architectures) > 0 {
		d.Architecture = string(c.Architectures[0])
	}
	if c.RuntimeVersionConfig != nil {
		d.RuntimeVersion = aws.ToString(c.RuntimeVersionConfig.RuntimeVersionArn)
	}
	return d
}

// update sets the environment of the known revision. If that is no longer current, it looks at what has changed.
func (f *function) update(ctx context.Context, env map[string]string) error {
	for tries := 0; ; tries++ {
		if f.pending {
			if err := f.verify(ctx); err != nil {
				return err
			}
		}
		f.pending = true
		in := &lambda.UpdateFunctionConfigurationInput{Environment: &types.Environment{Variables: env}, RevisionId: f.known.RevisionId}
		now, err := f.Update(ctx, f.known, in, func(now *Config) bool {
			return now.Environment == nil && len(env) == 0 || now.Environment != nil && maps.Equal(now.Environment.Variables, env)
		})
		if err == nil {
			return f.take(now)
		}
		if !errors.Is(err, ErrForeign) || tries == 5 {
			return err
		}
	}
}

// Resource is a function of a stack.
type Resource struct {
	Name string
	At   time.Time // when CloudFormation made or changed it
}

// DeployedFunctions returns the functions of a stack, by their logical IDs.
// See https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html.
func DeployedFunctions(ctx context.Context, stack string) (map[string]Resource, error) {
	cfg, err := account.InRegion(ctx, "")
	if err != nil {
		return nil, err
	}
	names := map[string]Resource{}
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(cfg), &cloudformation.ListStackResourcesInput{StackName: &stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("finding the functions of stack %s: %w", stack, notThere(ctx, cfg, stack, err))
		}
		for _, r := range page.StackResourceSummaries {
			if aws.ToString(r.ResourceType) == "AWS::Lambda::Function" {
				names[aws.ToString(r.LogicalResourceId)] = Resource{aws.ToString(r.PhysicalResourceId), aws.ToTime(r.LastUpdatedTimestamp)}
			}
		}
	}
	return names, nil
}

// notThere says where a missing stack was looked for. Mostly it is in another region or account.
func notThere(ctx context.Context, cfg aws.Config, stack string, err error) error {
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return err
	}
	if answer.ErrorCode() != "ValidationError" || !strings.Contains(answer.ErrorMessage(), "does not exist") {
		return fmt.Errorf("%w (region %s)", Brief(err), cfg.Region)
	}
	of := ""
	if who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err == nil {
		of = " of account " + aws.ToString(who.Account)
	}
	return fmt.Errorf("no stack %s in %s%s: set AWS_REGION or AWS_PROFILE, or deploy it with make deploy", stack, cfg.Region, of)
}
