package measure

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/record/runfile"
)

// NonceVariable is the environment variable whose change makes Lambda start new execution environments. A run uses
// either this variable or PhasesVariable, which also asks bootstraps to log when they reached each phase. The value is
// a nonce. A run removes its variable at the end. If the run was killed, the next run removes it.
const (
	NonceVariable  = "TWINSTART_NONCE"
	PhasesVariable = "TWINSTART_PHASES"
)

// nonce matches a value that a run has set. A user's own value of PhasesVariable is 0 or 1.
var nonce = regexp.MustCompile(`^[A-Z2-7]{12}$`)

// function is a target while it is measured. Its methods must be called one at a time.
type function struct {
	Target
	Control
	opts *Options
	url  *functionURL // that a load calls; nil means Invoke
	*state

	version  string // the published version that is measured; "" is $LATEST
	standing bool   // the alias has provisioned environments
	fresh    int    // number of cold starts that count as the first after deployment
	failures int    // failed calls in a row
	dropped  string // why it is no longer measured
}

// state is what the arms of one function share. Only one of these arms is measured at a time.
type state struct {
	turn    sync.Mutex
	arms    int
	known   *Config // as last seen; if the function's differs, somebody else has changed it
	nonce   string  // of the last forced cold start
	pending bool    // an update was sent and its end was not seen, so the revision of known may be old
	woken   bool    // it was inactive, because nobody had called it for weeks
}

// prepare waits for an update by somebody else and remembers the configuration, which must not change from then on.
func (f *function) prepare(ctx context.Context, begin time.Time) error {
	now, err := f.awake(ctx)
	if err != nil {
		return err
	}
	if f.Alias == "" && now.Environment != nil && now.Environment.Error != nil {
		return fmt.Errorf("environment variables of %s cannot be read (%s): a forced cold start would erase them; "+
			"allow kms:Decrypt", f.FunctionName, aws.ToString(now.Environment.Error.ErrorCode))
	}
	f.known = now // restore removes what an earlier run has left, even if this run measures nothing
	if f.Unlike != "" {
		return errors.New(f.Unlike)
	}
	if f.Deployed != nil {
		own, _ := Own(now)
		if what := DeployedOf(own).Differs(*f.Deployed); what != "" {
			return fmt.Errorf("%s: %w (%s)", f.FunctionName, ErrForeign, what)
		}
	}
	if f.versioned() {
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
	deployed := cmp.Or(f.DeployedAt, modified)
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
		now, err := f.Settle(ctx, f.Alias, "")
		if err != nil || now.State != types.StateInactive {
			return now, err
		}
		f.woken = true
		if _, err = f.API.Invoke(ctx, f.call(), Once); Refused(err) {
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
	f.nonce = rand.Text()[:12]
	return f.update(ctx, func(own *Config) *Config {
		name := NonceVariable
		if _, users := own.Environment.Variables[PhasesVariable]; f.opts.Phases && !users {
			name = PhasesVariable
		}
		if f.arms > 1 { // even without an override, so that every arm has OwnVariable
			own = pulled(own, f.Set)
		}
		own.Environment.Variables[name] = f.nonce
		return own
	})
}

// restore undoes what any run has replaced, and keeps all other changes of the function.
func (f *function) restore(ctx context.Context) (err error) {
	for tries := 0; f.known != nil && f.Alias == "" && tries < 5; tries++ {
		if f.pending {
			err = f.verify(ctx)
		}
		_, left := Own(f.known)
		if !f.pending && !left {
			return nil
		}
		if err == nil || errors.Is(err, ErrForeign) {
			err = f.update(ctx, func(own *Config) *Config { return own })
		}
		if !errors.Is(err, ErrForeign) {
			break
		}
	}
	return err
}

// verify checks that nobody else has changed the function. It accepts another revision with the same configuration,
// because Lambda itself makes such revisions. A failed update has left the function as it was.
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

// difference names what has changed, apart from what a run changes. It shows no values of environment variables,
// because they may be secret.
func difference(was, now *Config) string {
	if maps.Equal(variables(was), variables(now)) && !alike(was, now) && DeployedOf(now).Differs(DeployedOf(was)) == "" {
		return "layers, tracing or log format"
	}
	was, _ = Own(was)
	now, _ = Own(now)
	if what := DeployedOf(now).Differs(DeployedOf(was)); what != "" {
		return what
	}
	return strings.Join(Differences(was, now), ", ")
}

// Differences names the settings that differ between two configurations. It compares the settings that a version keeps,
// except the memory.
func Differences(a, b *Config) (out []string) {
	for _, d := range []struct {
		what string
		a, b any
	}{
		{"code", a.CodeSha256, b.CodeSha256},
		{"environment variables", variables(a), variables(b)},
		{"layers", arns(a.Layers), arns(b.Layers)},
		{"time-out", a.Timeout, b.Timeout},
		{"handler", a.Handler, b.Handler},
		{"runtime", a.Runtime, b.Runtime},
		{"ephemeral storage", a.EphemeralStorage, b.EphemeralStorage},
		{"image configuration", a.ImageConfigResponse, b.ImageConfigResponse},
		{"VPC", a.VpcConfig, b.VpcConfig},
		{"SnapStart", SnapStart(a), SnapStart(b)},
	} {
		if !reflect.DeepEqual(d.a, d.b) {
			out = append(out, d.what)
		}
	}
	return out
}

// SnapStart reports whether Lambda takes a snapshot of each version that is published.
func SnapStart(c *Config) bool {
	return c.SnapStart != nil && c.SnapStart.ApplyOn == types.SnapStartApplyOnPublishedVersions
}

// DeployedOf returns the part of a configuration that run.json has.
func DeployedOf(c *Config) runfile.Deployed {
	d := runfile.Deployed{Function: aws.ToString(c.FunctionName), MemorySizeMB: int(aws.ToInt32(c.MemorySize)),
		PackageType: string(c.PackageType), CodeSizeBytes: c.CodeSize, CodeSHA256: aws.ToString(c.CodeSha256)}
	if len(c.Architectures) > 0 {
		d.Architecture = string(c.Architectures[0])
	}
	d.RuntimeVersion = aws.ToString(cmp.Or(c.RuntimeVersionConfig, &types.RuntimeVersionConfig{}).RuntimeVersionArn)
	return d
}

// update replaces the known configuration with the one that want makes of the function's own. If the function has
// another revision by then, update reads it and tries again, unless the configuration has changed, too.
func (f *function) update(ctx context.Context, want func(own *Config) *Config) error {
	for tries := 0; ; tries++ {
		if f.pending {
			if err := f.verify(ctx); err != nil {
				return err
			}
		}
		f.pending = true
		own, _ := Own(f.known)
		to := want(own)
		now, err := f.Update(ctx, f.known, change(f.known, to), func(now *Config) bool { return alike(now, to) })
		if err == nil {
			return f.take(now)
		}
		if !errors.Is(err, ErrForeign) || tries == 5 {
			return err
		}
	}
}

// Resource is a function or a layer of a stack.
type Resource struct {
	Name string    // a layer's name is its ARN
	At   time.Time // when CloudFormation made or changed it
}

// DeployedFunctions returns the functions and layers of a stack, by their logical IDs.
// See https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html.
func DeployedFunctions(ctx context.Context, stack string) (map[string]Resource, error) {
	cfg, err := account.InRegion(ctx, "")
	if err != nil {
		return nil, err
	}
	names, in := map[string]Resource{}, &cloudformation.ListStackResourcesInput{StackName: &stack}
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(cfg), in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("finding the functions of stack %s: %w", stack, notThere(ctx, cfg, stack, err))
		}
		for _, r := range page.StackResourceSummaries {
			if kind := aws.ToString(r.ResourceType); kind == "AWS::Lambda::Function" || kind == "AWS::Lambda::LayerVersion" {
				is := Resource{aws.ToString(r.PhysicalResourceId), aws.ToTime(r.LastUpdatedTimestamp)}
				names[aws.ToString(r.LogicalResourceId)] = is
			}
		}
	}
	return names, nil
}

// notThere says in which region and account a stack is missing, because mostly it is in another one.
func notThere(ctx context.Context, cfg aws.Config, stack string, err error) error {
	if Code(err) != "ValidationError" || !strings.Contains(err.Error(), "does not exist") {
		return fmt.Errorf("%w (region %s)", Brief(err), cfg.Region)
	}
	account, _ := accountOf(ctx, cfg)
	return fmt.Errorf("no stack %s in %s of account %s: set AWS_REGION or AWS_PROFILE, or deploy it with make deploy",
		stack, cfg.Region, cmp.Or(account, "unknown"))
}

// Elsewhere explains why a function cannot be read: mostly it is in another region or another account.
func Elsewhere(ctx context.Context, cfg aws.Config, function string, err error) error {
	if code := Code(err); code != "ResourceNotFoundException" && !strings.HasPrefix(code, "AccessDenied") {
		return err
	}
	account, unknown := accountOf(ctx, cfg)
	if unknown != nil {
		return err
	}
	if parts := strings.Split(function, ":"); len(parts) > 4 && parts[4] != account {
		return fmt.Errorf("%s is in account %s, and the credentials are for %s: set AWS_PROFILE", function, parts[4], account)
	}
	if Code(err) != "ResourceNotFoundException" {
		return err
	}
	return fmt.Errorf("there is no function %s in %s of account %s: set AWS_REGION or AWS_PROFILE, or correct the name",
		function, cfg.Region, account)
}

func accountOf(ctx context.Context, cfg aws.Config) (string, error) {
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return aws.ToString(who.Account), nil
}
