package measure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"golang.org/x/time/rate"
)

// Control changes a function through Lambda's control plane and waits for the result. Its methods must be called
// one at a time.
type Control struct {
	API   *lambda.Client
	Name  string        // the function's name or ARN, without a qualifier
	Poll  time.Duration // first pause between two looks; later ones are a quarter of the time so far, up to 1 s
	Ready time.Duration // how long to wait for an update, a version, or the end of somebody else's update
	Pace  *rate.Limiter // of control-plane calls that share a quota; not nil
	// Apart makes Look call GetFunction, which has its own quota of 100 calls a second. The other calls share a
	// quota of 15 a second in an account and region.
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	Apart bool
}

// Config is what Lambda returns about a function or a version.
type Config = lambda.GetFunctionConfigurationOutput

// ErrForeign means that somebody else changed the function meanwhile.
var ErrForeign = errors.New("somebody else changed the function meanwhile")

// ErrNotReady means that an update did not end in time.
var ErrNotReady = errors.New("not ready")

// Failed means that Lambda accepted a change or a version but could not carry it out. The function can be changed
// again.
type Failed struct{ what string }

func (e *Failed) Error() string { return e.what }

// failed returns a Failed with a function's name and Lambda's reason.
func failed(format, name string, why *string) error {
	return &Failed{fmt.Sprintf(format, name, OneLine(aws.ToString(why), 200))}
}

// Look reads the configuration of a version or an alias; "" means $LATEST.
func (c *Control) Look(ctx context.Context, of string) (*Config, error) {
	if c.Apart {
		now, _, err := Read(ctx, c.API, c.Name, of)
		return now, err
	}
	if err := c.Pace.Wait(ctx); err != nil {
		return nil, err
	}
	in := &lambda.GetFunctionConfigurationInput{FunctionName: &c.Name, Qualifier: optional(of)}
	out, err := c.API.GetFunctionConfiguration(ctx, in)
	if err != nil {
		return nil, reading(c.Name, err)
	}
	return out, nil
}

// Read reads the configuration of a version or an alias, and where its code is; "" means $LATEST.
func Read(ctx context.Context, api *lambda.Client, name, of string) (*Config, *types.FunctionCodeLocation, error) {
	out, err := api.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &name, Qualifier: optional(of)})
	if err != nil {
		return nil, nil, reading(name, err)
	}
	// The SDK has a separate type for the answer of each call, with the same fields.
	now := &Config{}
	from := reflect.ValueOf(*cmp.Or(out.Configuration, &types.FunctionConfiguration{}))
	for i := range from.NumField() {
		if field := from.Type().Field(i); field.IsExported() {
			reflect.ValueOf(now).Elem().FieldByName(field.Name).Set(from.Field(i))
		}
	}
	return now, cmp.Or(out.Code, &types.FunctionCodeLocation{}), nil
}

// optional returns nil for "".
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func reading(name string, err error) error {
	return fmt.Errorf("reading the configuration of %s: %w", name, Brief(err))
}

// Settle waits until no update of $LATEST, or of a version, is in progress and its revision differs from old
// ("" means any revision). With a *Failed error it also returns the configuration.
func (c *Control) Settle(ctx context.Context, qualifier, old string) (*Config, error) {
	for begin := time.Now(); ; {
		now, err := c.Look(ctx, qualifier)
		if err != nil {
			return nil, err
		}
		switch {
		case now.LastUpdateStatus == types.LastUpdateStatusFailed:
			return now, failed("%s could not be updated: %s", c.Name, now.LastUpdateStatusReason)
		case now.State == types.StateFailed:
			return now, failed("%s is in state Failed: %s", c.Name, now.StateReason)
		case settled(now.State, now.LastUpdateStatus) && (old == "" || aws.ToString(now.RevisionId) != old):
			return now, nil
		case time.Since(begin) > c.Ready:
			return nil, fmt.Errorf("%s was %w %v after its update (LastUpdateStatus %s, revision %s)",
				c.Name, ErrNotReady, c.Ready, now.LastUpdateStatus, aws.ToString(now.RevisionId))
		}
		if err := c.pause(ctx, begin); err != nil {
			return nil, err
		}
	}
}

// pause waits for a quarter of the time since begin, so that little time is lost and calls are few.
func (c *Control) pause(ctx context.Context, begin time.Time) error {
	return Sleep(ctx, min(max(c.Poll, time.Since(begin)/4), time.Second))
}

// settled reports whether no update is in progress. Emulators leave the statuses out.
func settled(s types.State, u types.LastUpdateStatus) bool {
	return s != types.StatePending && (u == "" || u == types.LastUpdateStatusSuccessful)
}

// Update changes $LATEST and waits for the end of the change. base is the configuration that the caller knows. If
// in has its RevisionId and $LATEST has another one, the error is ErrForeign. There is no error if done reports that
// $LATEST has this change already: then an answer was lost. Once the call is sent, Update waits for it even if ctx
// ends, so that no change appears after a clean-up.
func (c *Control) Update(
	ctx context.Context, base *Config, in *lambda.UpdateFunctionConfigurationInput, done func(*Config) bool,
) (*Config, error) {
	in.FunctionName = &c.Name
	old := aws.ToString(base.RevisionId)
	begin, failures := time.Now(), 0
	for {
		if err := c.Pace.Wait(ctx); err != nil {
			return nil, err
		}
		u, err := c.API.UpdateFunctionConfiguration(context.WithoutCancel(ctx), in)
		switch {
		// The lab changes the function at once, so no second look is needed.
		case err == nil && !c.Apart && u.LastUpdateStatus != "" && settled(u.State, u.LastUpdateStatus) &&
			aws.ToString(u.RevisionId) != old:
			return (*Config)(u), nil
		case err == nil || Code(err) == "PreconditionFailedException":
			now, err := c.Settle(ctx, "", old)
			if err == nil && !done(now) {
				return nil, fmt.Errorf("%s: %w", c.Name, ErrForeign)
			}
			return now, err
		case Code(err) == "ResourceConflictException": // another update is in progress, ours or somebody else's
			if time.Since(begin) > c.Ready {
				return nil, fmt.Errorf("updating the configuration of %s: %w: another update lasted over %v: %w",
					c.Name, ErrNotReady, c.Ready, Brief(err))
			}
		default: // if the lost call had an effect, done recognizes it
			if failures++; !Transient(err) || failures > patience {
				return nil, fmt.Errorf("updating the configuration of %s: %w", c.Name, Brief(err))
			}
		}
		if err := c.pause(ctx, begin); err != nil {
			return nil, err
		}
		// Wait for the end of the update in progress. It may be this very change, whose answer was lost.
		if now, err := c.Settle(ctx, "", ""); err != nil || aws.ToString(now.RevisionId) != old && done(now) {
			return now, err
		}
	}
}

// Troubles counts the failed attempts of a call before it was answered.
type Troubles struct{ Throttles, Others int }

// Again repeats a call with growing pauses until it is answered. A throttled call never ran, and is repeated for as
// long as Ready. A call that failed in the service is repeated a few times. If an answer was lost, the call may have
// had its effect.
func (c *Control) Again(ctx context.Context, call func() error) (n Troubles, err error) {
	begin, pause := time.Now(), c.Poll
	for ; ; pause = min(2*pause, 10*time.Second) {
		err = call()
		switch {
		case ctx.Err() != nil || !Transient(err) || n.Others > patience || time.Since(begin) > c.Ready:
			return n, err
		case Throttle(err):
			n.Throttles++
		case Code(err) != "ResourceConflictException": // such a conflict ends with an update or a snapshot: not counted
			n.Others++
		}
		if err := Sleep(ctx, pause/2+rand.N(pause+1)); err != nil {
			return n, err
		}
	}
}

// patience is how often a call may fail in the service, besides the SDK's own retries.
const patience = 5
