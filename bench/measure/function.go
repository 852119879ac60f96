package measure

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	"golang.org/x/time/rate"
)

// NonceVariable is the environment variable whose change makes Lambda start new execution environments. It is gone from
// the function's configuration once a run has ended.
const NonceVariable = "TWINSTART_NONCE"

// PhasesVariable asks a bootstrap to write when it came to what, a line of its log per INIT and event.
const PhasesVariable = "TWINSTART_PHASES"

// function is a target while it is measured. Its methods are called one at a time.
type function struct {
	Target
	api  API
	opts *Options
	pace *rate.Limiter

	original map[string]string // environment variables before the run, to be restored
	revision string
	changed  bool      // its environment holds a nonce
	pending  bool      // an update was asked for and not seen to end, so revision may be old
	modified time.Time // last change before the run; zero where that is not said
	fresh    int       // cold starts still to be flagged as the first after deployment
	failures int       // calls in a row that went wrong
	dropped  string    // why it is measured no longer
}

// state is the part of a function's configuration that measuring looks at.
type state struct {
	revision  string
	update    types.LastUpdateStatus
	reason    string
	lifecycle types.State
	env       *types.EnvironmentResponse
	modified  string
}

func (s state) ready() bool {
	// Emulators leave the statuses out.
	return (s.update == "" || s.update == types.LastUpdateStatusSuccessful) && s.lifecycle != types.StatePending
}

func (f *function) look(ctx context.Context) (state, error) {
	if err := f.pace.Wait(ctx); err != nil {
		return state{}, err
	}
	c, err := f.api.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &f.FunctionName})
	if err != nil {
		return state{}, fmt.Errorf("reading the configuration of %s: %w", f.FunctionName, brief(err))
	}
	return state{str(c.RevisionId), c.LastUpdateStatus, str(c.LastUpdateStatusReason), c.State, c.Environment, str(c.LastModified)}, nil
}

// prepare waits for an update that somebody else has under way and remembers the configuration to be restored.
func (f *function) prepare(ctx context.Context) error {
	s, err := f.settle(ctx, "")
	if err != nil {
		return err
	}
	if s.env != nil && s.env.Error != nil {
		return fmt.Errorf("environment variables of %s cannot be read (%s): a forced cold start would erase them; allow kms:Decrypt",
			f.FunctionName, str(s.env.Error.ErrorCode))
	}
	f.original = map[string]string{}
	if s.env != nil {
		maps.Copy(f.original, s.env.Variables)
	}
	delete(f.original, NonceVariable) // of a run that was killed
	f.revision = s.revision
	f.modified, _ = time.Parse("2006-01-02T15:04:05.999-0700", s.modified)
	return nil
}

// settle waits until the function is ready and its revision is another than old ("" for any).
func (f *function) settle(ctx context.Context, old string) (state, error) {
	give := time.Now().Add(f.opts.Ready)
	for pause := f.opts.Poll; ; pause = min(2*pause, time.Second) {
		s, err := f.look(ctx)
		if err != nil {
			return s, err
		}
		if s.update == types.LastUpdateStatusFailed {
			return s, fmt.Errorf("%s could not be updated: %s", f.FunctionName, s.reason)
		}
		if s.lifecycle == types.StateFailed {
			return s, fmt.Errorf("%s is in state Failed: deploy it again", f.FunctionName)
		}
		if s.ready() && (old == "" || s.revision != old) {
			f.revision = s.revision
			return s, nil
		}
		if time.Now().After(give) {
			return s, fmt.Errorf("%s was not ready %v after its update (LastUpdateStatus %s, revision %s)", f.FunctionName, f.opts.Ready, s.update, s.revision)
		}
		if err := sleep(ctx, pause); err != nil {
			return s, err
		}
	}
}

// forceCold makes the next invocation a cold start.
func (f *function) forceCold(ctx context.Context) error {
	env := maps.Clone(f.original)
	env[NonceVariable] = rand.Text()[:12]
	if f.opts.Phases {
		env[PhasesVariable] = "1"
	}
	return f.update(ctx, env)
}

// restore gives the function its own configuration back.
func (f *function) restore(ctx context.Context) error {
	if !f.changed {
		return nil
	}
	if err := f.update(ctx, f.original); err != nil {
		return fmt.Errorf("restoring %s (it keeps the environment variable %s): %w", f.FunctionName, NonceVariable, err)
	}
	f.changed = false
	return nil
}

func (f *function) update(ctx context.Context, env map[string]string) error {
	for {
		if f.pending {
			if _, err := f.settle(ctx, ""); err != nil {
				return err
			}
		}
		if err := f.pace.Wait(ctx); err != nil {
			return err
		}
		old := f.revision
		f.changed, f.pending = true, true
		u, err := f.api.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
			FunctionName: &f.FunctionName,
			Environment:  &types.Environment{Variables: env},
		})
		var conflict *types.ResourceConflictException
		if errors.As(err, &conflict) { // an update is under way: somebody else's, or ours, cut off by Ctrl-C
			if err := sleep(ctx, f.opts.Poll); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("updating the configuration of %s: %w", f.FunctionName, brief(err))
		}
		// A service that is done at once, as the lab is, needs no second look.
		if s := (state{revision: str(u.RevisionId), update: u.LastUpdateStatus, lifecycle: u.State}); s.update != "" && s.ready() && s.revision != old {
			f.revision, f.pending = s.revision, false
			return nil
		}
		if _, err = f.settle(ctx, old); err == nil {
			f.pending = false
		}
		return err
	}
}

// brief keeps of an SDK's error what a user can use: the service's code and message, without the SDK's own preamble.
func brief(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return fmt.Errorf("%s: %s", api.ErrorCode(), oneLine(api.ErrorMessage(), 200))
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var op *smithy.OperationError
	if errors.As(err, &op) {
		return errors.New(oneLine(op.Err.Error(), 300))
	}
	return err
}

// oneLine makes one line of at most n characters of any text.
func oneLine(s string, n int) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if r := []rune(s); len(r) > n {
		s = string(r[:n-3]) + "..."
	}
	return s
}

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
