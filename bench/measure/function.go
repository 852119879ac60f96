package measure

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// NonceVariable is the environment variable whose change makes Lambda start new execution environments. It is gone from
// the function's configuration once a run has ended.
const NonceVariable = "TWINSTART_NONCE"

// PhasesVariable asks a bootstrap to write when it came to what, a line of its log per INIT and event.
const PhasesVariable = "TWINSTART_PHASES"

// function is a target while it is measured. Its methods are called one at a time.
type function struct {
	Target
	Control
	opts *Options

	original map[string]string // environment variables before the run, to be restored
	known    *Config           // as it was seen last
	changed  bool              // its environment holds a nonce
	pending  bool              // an update was asked for and not seen to end, so known may be old
	modified time.Time         // last change before the run; zero where that is not said
	fresh    int               // cold starts still to be flagged as the first after deployment
	failures int               // calls in a row that went wrong
	dropped  string            // why it is measured no longer
}

// prepare waits for an update that somebody else has under way and remembers the configuration to be restored.
func (f *function) prepare(ctx context.Context) error {
	now, err := f.Settle(ctx, "", "")
	if err != nil {
		return err
	}
	if now.Environment != nil && now.Environment.Error != nil {
		return fmt.Errorf("environment variables of %s cannot be read (%s): a forced cold start would erase them; allow kms:Decrypt",
			f.FunctionName, str(now.Environment.Error.ErrorCode))
	}
	f.original = map[string]string{}
	if now.Environment != nil {
		maps.Copy(f.original, now.Environment.Variables)
	}
	delete(f.original, NonceVariable) // of a run that was killed
	f.known = now
	f.modified, _ = time.Parse("2006-01-02T15:04:05.999-0700", str(now.LastModified))
	return nil
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
	if f.pending {
		now, err := f.Settle(ctx, "", "")
		if err != nil {
			return err
		}
		f.known = now
	}
	f.changed, f.pending = true, true
	in := &lambda.UpdateFunctionConfigurationInput{Environment: &types.Environment{Variables: env}}
	now, err := f.Update(ctx, f.known, in, func(now *Config) bool {
		return now.Environment == nil && len(env) == 0 || now.Environment != nil && maps.Equal(now.Environment.Variables, env)
	})
	if err == nil {
		f.known, f.pending = now, false
	}
	return err
}

func str(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
