package power

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// function is the function that is tuned, as the control plane sees it. Its methods are called one at a time.
type function struct {
	api  API
	name string // without a qualifier
	id   string // of the tuning
	poll time.Duration
}

// ready is how long an update or a version may take; SnapStart takes minutes.
const ready = 10 * time.Minute

// ErrForeign says that somebody else changed the function meanwhile.
var ErrForeign = errors.New("somebody else changed the function while it was tuned")

// look reads a configuration; qualifier "" is $LATEST.
func (f *function) look(ctx context.Context, qualifier string) (*lambda.GetFunctionConfigurationOutput, error) {
	in := &lambda.GetFunctionConfigurationInput{FunctionName: &f.name}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	c, err := f.api.GetFunctionConfiguration(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration of %s: %w", f.name, brief(err))
	}
	return c, nil
}

// settle waits until nothing is under way on $LATEST, or on a version, and its revision is another than old ("" for any).
func (f *function) settle(ctx context.Context, qualifier, old string) (*lambda.GetFunctionConfigurationOutput, error) {
	give := time.Now().Add(ready)
	for pause := f.poll; ; pause = min(2*pause, 2*time.Second) {
		c, err := f.look(ctx, qualifier)
		if err != nil {
			return nil, err
		}
		switch {
		case c.LastUpdateStatus == types.LastUpdateStatusFailed:
			return nil, fmt.Errorf("updating %s: %s", f.name, oneLine(aws.ToString(c.LastUpdateStatusReason), 200))
		case c.State == types.StateFailed:
			return nil, fmt.Errorf("%s is in state Failed: %s", f.name, oneLine(aws.ToString(c.StateReason), 200))
		case c.State != types.StatePending && c.LastUpdateStatus != types.LastUpdateStatusInProgress && (old == "" || aws.ToString(c.RevisionId) != old):
			return c, nil
		case time.Now().After(give):
			return nil, fmt.Errorf("%s was not ready after %v", f.name, ready)
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// configure gives $LATEST a memory and a marker (nil for none). base is the configuration that the caller knows; where it is not the
// current one any more, the error is ErrForeign and nothing has changed.
func (f *function) configure(ctx context.Context, base *lambda.GetFunctionConfigurationOutput, memory int, m *Marker) (*lambda.GetFunctionConfigurationOutput, error) {
	if base.Environment != nil && base.Environment.Error != nil {
		return nil, fmt.Errorf("the environment variables of %s cannot be read (%s): tuning would erase them; allow kms:Decrypt", f.name, aws.ToString(base.Environment.Error.ErrorCode))
	}
	for pause := f.poll; ; pause = min(2*pause, 2*time.Second) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		_, err := f.api.UpdateFunctionConfiguration(unbroken(ctx), &lambda.UpdateFunctionConfigurationInput{
			FunctionName: &f.name, MemorySize: aws.Int32(int32(memory)), Environment: with(base.Environment, m), RevisionId: base.RevisionId,
		})
		switch code(err) {
		case "PreconditionFailedException":
			return nil, fmt.Errorf("%s: %w", f.name, ErrForeign)
		case "ResourceConflictException": // an update of somebody else's is under way: its end changes the revision, or it is ours
			if err := sleep(ctx, pause); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("setting %s to %d MB: %w", f.name, memory, brief(err))
		}
		now, err := f.settle(ctx, "", aws.ToString(base.RevisionId))
		if err != nil {
			return nil, err
		}
		if got, _ := markerOf(now.Environment); aws.ToInt32(now.MemorySize) != int32(memory) || (m != nil && got != *m) {
			return nil, fmt.Errorf("%s: %w", f.name, ErrForeign)
		}
		return now, nil
	}
}

// publish makes a version of a power value and waits until it can be invoked.
func (f *function) publish(ctx context.Context, base *lambda.GetFunctionConfigurationOutput, power int, m Marker) (version string, now *lambda.GetFunctionConfigurationOutput, err error) {
	if now, err = f.configure(ctx, base, power, &m); err != nil {
		return "", nil, err
	}
	v, err := f.api.PublishVersion(unbroken(ctx), &lambda.PublishVersionInput{FunctionName: &f.name, RevisionId: now.RevisionId,
		Description: aws.String(fmt.Sprintf("%d MB, of a twinstart tuning: will be deleted", power))})
	if code(err) == "PreconditionFailedException" {
		return "", nil, fmt.Errorf("%s: %w", f.name, ErrForeign)
	}
	if err != nil {
		return "", nil, fmt.Errorf("publishing %s at %d MB: %w", f.name, power, brief(err))
	}
	version = aws.ToString(v.Version)
	if _, err = f.settle(ctx, version, ""); err != nil {
		return "", nil, err
	}
	now, err = f.look(ctx, "") // PublishVersion gives $LATEST another revision
	return version, now, err
}

// point makes or moves an alias.
func (f *function) point(ctx context.Context, name, version string) error {
	_, err := f.api.CreateAlias(unbroken(ctx), &lambda.CreateAliasInput{FunctionName: &f.name, Name: &name, FunctionVersion: &version})
	if code(err) == "ResourceConflictException" {
		_, err = f.api.UpdateAlias(unbroken(ctx), &lambda.UpdateAliasInput{FunctionName: &f.name, Name: &name, FunctionVersion: &version})
	}
	if err != nil {
		return fmt.Errorf("pointing alias %s of %s at version %s: %w", name, f.name, version, brief(err))
	}
	return nil
}

// drop deletes one version.
func (f *function) drop(ctx context.Context, version string) error {
	if version == "" { // the call would delete the function
		return nil
	}
	_, err := f.api.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &f.name, Qualifier: &version})
	if err != nil && code(err) != "ResourceNotFoundException" {
		return fmt.Errorf("deleting version %s of %s: %w", version, f.name, brief(err))
	}
	return nil
}

// clean restores the memory and deletes the tuning's aliases and versions. It does all it can and may be called again; found says
// whether there was anything to do. With id "" it is for any tuning.
func (f *function) clean(ctx context.Context) (found bool, err error) {
	restored, err1 := f.restore(ctx)
	aliases, err2 := f.dropAliases(ctx)
	versions, err3 := f.dropVersions(ctx)
	return restored || aliases || versions, errors.Join(err1, err2, err3)
}

func (f *function) mine(id string) bool { return f.id == "" || f.id == id }

// restore gives $LATEST its memory back. What somebody else changed meanwhile stays, except the memory.
func (f *function) restore(ctx context.Context) (found bool, err error) {
	for range 5 {
		c, err := f.settle(ctx, "", "")
		if err != nil {
			return found, err
		}
		m, marked := markerOf(c.Environment)
		if !marked || !f.mine(m.ID) {
			return found, nil
		}
		found = true
		if _, err = f.configure(ctx, c, m.Memory, nil); !errors.Is(err, ErrForeign) {
			return found, err
		}
	}
	return found, fmt.Errorf("restoring the memory of %s: %w", f.name, ErrForeign)
}

func (f *function) dropAliases(ctx context.Context) (found bool, err error) {
	prefix := aliasNames
	if f.id != "" {
		prefix = aliasPrefix(f.id)
	}
	names, err := f.aliases(ctx, prefix)
	problems := []error{err}
	for _, name := range names { // only now: deleting while listing skips pages
		if _, err := f.api.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: &f.name, Name: &name}); err != nil && code(err) != "ResourceNotFoundException" {
			problems = append(problems, fmt.Errorf("deleting alias %s of %s: %w", name, f.name, brief(err)))
		}
	}
	return len(names) > 0, errors.Join(problems...)
}

func (f *function) aliases(ctx context.Context, prefix string) (names []string, err error) {
	pages := lambda.NewListAliasesPaginator(f.api, &lambda.ListAliasesInput{FunctionName: &f.name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return names, fmt.Errorf("listing the aliases of %s: %w", f.name, brief(err))
		}
		for _, a := range page.Aliases {
			if strings.HasPrefix(aws.ToString(a.Name), prefix) {
				names = append(names, aws.ToString(a.Name))
			}
		}
	}
	return names, nil
}

func (f *function) dropVersions(ctx context.Context) (found bool, err error) {
	versions, err := f.versions(ctx)
	problems := []error{err}
	for _, v := range versions {
		problems = append(problems, f.drop(ctx, v))
	}
	return len(versions) > 0, errors.Join(problems...)
}

// versions are those that the tuning has published.
func (f *function) versions(ctx context.Context) (versions []string, err error) {
	pages := lambda.NewListVersionsByFunctionPaginator(f.api, &lambda.ListVersionsByFunctionInput{FunctionName: &f.name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return versions, fmt.Errorf("listing the versions of %s: %w", f.name, brief(err))
		}
		for _, v := range page.Versions {
			if m, marked := markerOf(v.Environment); marked && f.mine(m.ID) && aws.ToString(v.Version) != "$LATEST" {
				versions = append(versions, aws.ToString(v.Version))
			}
		}
	}
	return versions, nil
}

// unbroken is for calls that change something: once sent they are waited for, even when the tuning is interrupted, or what they make might
// come into being after the clean-up.
func unbroken(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
