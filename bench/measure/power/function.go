package power

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/bench/measure"
)

// function is the function that is tuned, as the control plane sees it. Its methods must be called one at a time.
type function struct {
	measure.Control
	id string // of the tuning
}

// ready is how long an update or a version may take. With SnapStart a version takes minutes.
const ready = 10 * time.Minute

// configure sets the memory and the marker of $LATEST; a nil marker removes it. base is the configuration that the
// caller knows. If that is no longer current, the error is measure.ErrForeign, and nothing has changed.
func (f *function) configure(ctx context.Context, base *measure.Config, memory int, m *Marker) (*measure.Config, error) {
	in := &lambda.UpdateFunctionConfigurationInput{MemorySize: aws.Int32(int32(memory)), RevisionId: base.RevisionId}
	if err := mark(in, base, m); err != nil {
		return nil, err
	}
	now, err := f.Update(ctx, base, in, func(now *measure.Config) bool {
		got, marked := markerOf(now.Environment, now.Description)
		return aws.ToInt32(now.MemorySize) == int32(memory) && (m == nil && !marked || m != nil && got == *m)
	})
	if err != nil {
		return nil, fmt.Errorf("setting %s to %d MB: %w", f.Name, memory, err)
	}
	return now, nil
}

// publish makes a version for a power value and waits until it can be invoked. If the function or its account does
// not accept the value, the error is a *failure.
func (f *function) publish(ctx context.Context, base *measure.Config, power int, m Marker) (version string, now *measure.Config, err error) {
	if now, err = f.configure(ctx, base, power, &m); err != nil {
		return "", nil, refused(err)
	}
	in := &lambda.PublishVersionInput{FunctionName: &f.Name, RevisionId: now.RevisionId}
	if !fixed(now.Environment) { // otherwise the description has the marker
		in.Description = aws.String(fmt.Sprintf("%d MB, of a twinstart tuning: will be deleted", power))
	}
	if version, err = f.publishOnce(ctx, in, m); err != nil {
		return "", nil, refused(fmt.Errorf("publishing %s at %d MB: %w", f.Name, power, err))
	}
	if _, err = f.Settle(ctx, version, ""); err != nil {
		return "", nil, refused(err)
	}
	now, err = f.Look(ctx, "") // PublishVersion changes the revision of $LATEST
	return version, now, err
}

// refused turns an error that says that a power value cannot be had into a failure of that value.
func refused(err error) error {
	if _, failed := errors.AsType[*measure.Failed](err); failed || measure.Code(err) == "InvalidParameterValueException" {
		return &failure{why: measure.OneLine(err.Error(), 200), final: true}
	}
	return err
}

// publishOnce makes exactly one version of the configuration with that marker, even if answers of the call are
// lost.
func (f *function) publishOnce(ctx context.Context, in *lambda.PublishVersionInput, m Marker) (version string, err error) {
	_, err = again(ctx, f.Poll, func() error {
		version, err = f.Publish(ctx, in, markedAs(func(other Marker) bool { return other == m }))
		return err
	})
	return version, measure.Brief(err)
}

// point makes or moves an alias.
func (f *function) point(ctx context.Context, name, version string) error {
	_, err := f.API.CreateAlias(unbroken(ctx), &lambda.CreateAliasInput{FunctionName: &f.Name, Name: &name, FunctionVersion: &version})
	if measure.Code(err) == "ResourceConflictException" {
		_, err = f.API.UpdateAlias(unbroken(ctx), &lambda.UpdateAliasInput{FunctionName: &f.Name, Name: &name, FunctionVersion: &version})
	}
	if err != nil {
		return fmt.Errorf("pointing alias %s of %s at version %s: %w", name, f.Name, version, measure.Brief(err))
	}
	return nil
}

// clean restores the memory, and deletes the aliases and versions of the tuning, or of every tuning if id is "". It
// does as much as it can and may be called again. found reports whether there was anything to do.
func (f *function) clean(ctx context.Context) (found bool, err error) {
	found, err = f.restore(ctx)
	aliases, problem := f.aliases(ctx)
	problems := []error{err, problem}
	for _, name := range aliases { // not while listing them, because that would skip pages
		if _, err := f.API.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: &f.Name, Name: &name}); err != nil && measure.Code(err) != "ResourceNotFoundException" {
			problems = append(problems, fmt.Errorf("deleting alias %s of %s: %w", name, f.Name, measure.Brief(err)))
		}
	}
	versions, problem := f.Versions(ctx, markedAs(func(m Marker) bool { return f.mine(m.ID) }))
	problems = append(problems, problem)
	for _, v := range versions {
		problems = append(problems, f.Drop(ctx, v))
	}
	return found || len(aliases)+len(versions) > 0, errors.Join(problems...)
}

func (f *function) mine(id string) bool { return f.id == "" || f.id == id }

// restore sets the memory of $LATEST back. It keeps everything else that somebody changed meanwhile.
func (f *function) restore(ctx context.Context) (found bool, err error) {
	for range 5 {
		c, err := f.Settle(ctx, "", "") // a failed update can be followed by another
		if _, failed := errors.AsType[*measure.Failed](err); err != nil && (!failed || c == nil) {
			return found, err
		}
		m, marked := markerOf(c.Environment, c.Description)
		if !marked || !f.mine(m.ID) {
			return found, nil
		}
		found = true
		if _, err = f.configure(ctx, c, m.Memory, nil); !errors.Is(err, measure.ErrForeign) {
			return found, err
		}
	}
	return found, fmt.Errorf("restoring the memory of %s: %w", f.Name, measure.ErrForeign)
}

// aliases returns the names of the tuning's aliases, or of every tuning's.
func (f *function) aliases(ctx context.Context) (names []string, err error) {
	prefix := aliasNames
	if f.id != "" {
		prefix = aliasPrefix(f.id)
	}
	all, err := measure.Aliases(ctx, f.API, f.Name)
	for _, a := range all {
		if strings.HasPrefix(aws.ToString(a.Name), prefix) {
			names = append(names, aws.ToString(a.Name))
		}
	}
	return names, err
}

// markedAs tells versions by their markers.
func markedAs(wanted func(Marker) bool) func(*types.FunctionConfiguration) bool {
	return func(v *types.FunctionConfiguration) bool {
		m, marked := markerOf(v.Environment, v.Description)
		return marked && wanted(m)
	}
}

// unbroken returns a context for calls that change something. They are waited for even if the tuning is
// interrupted; otherwise their result could appear after the clean-up.
func unbroken(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// patience is how long a throttled call is repeated. maxTroubles is how often a call is tried while the service has
// other trouble.
const (
	patience    = 10 * time.Minute
	maxTroubles = 8
)

// troubles counts what a call met before it was answered.
type troubles struct{ throttles, others int }

// again repeats a call until it is answered, with growing pauses. A throttled call never ran; a call whose answer
// was lost costs one more invocation.
func again(ctx context.Context, pause time.Duration, call func() error) (n troubles, err error) {
	give := time.Now().Add(patience)
	for ; ; pause = min(2*pause, 10*time.Second) {
		err = call()
		switch {
		case ctx.Err() != nil || !measure.Transient(err):
			return n, err
		case measure.Throttle(err):
			n.throttles++
		default:
			if n.others++; n.others >= maxTroubles {
				return n, err
			}
		}
		if time.Now().After(give) {
			return n, err
		}
		if err := measure.Sleep(ctx, pause/2+rand.N(pause+1)); err != nil {
			return n, err
		}
	}
}
