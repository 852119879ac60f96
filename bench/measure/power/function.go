package power

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure"
)

// Mark begins the description of a function that is being tuned. A marker follows, and then the function's own
// description.
//
// The call that changes the memory sets the marker, so the old memory is known at every moment. Whoever cleans up, even
// another process after this one was killed, finds everything that must be restored. Published versions inherit the
// description, which tells them apart from the user's own versions.
const Mark = "twinstart-tune "

// marker says who tunes a function, which memory it had before, and which version is made.
type marker struct {
	id        string // of the tuning, see short
	memory, n int    // MB; n makes each version of a tuning different
}

var described = regexp.MustCompile(`(?s)^` + Mark + `(\S+) ([0-9]+) ([0-9]+): ?(.*)$`)

// markerOf returns the marker in a description, and the function's own description. Without a marker, m is zero.
func markerOf(description *string) (m marker, own string) {
	found := described.FindStringSubmatch(aws.ToString(description))
	if found == nil {
		return m, aws.ToString(description)
	}
	m.id = found[1]
	m.memory, _ = strconv.Atoi(found[2])
	m.n, _ = strconv.Atoi(found[3])
	return m, found[4]
}

// before returns a description with the marker, or without one if it is zero.
func (m marker) before(own string) string {
	if m.id == "" {
		return own
	}
	return fmt.Sprintf("%s%s %d %d: %s", Mark, m.id, m.memory, m.n, own)
}

// short returns a tuning's ID in few characters, because a description has little room. For "" it returns "".
func short(id string) string {
	if id == "" {
		return ""
	}
	h := fnv.New64a()
	h.Write([]byte(id))
	return strconv.FormatUint(h.Sum64(), 36)
}

// function is the function that is tuned, as the control plane sees it. Its methods must be called one at a time.
type function struct {
	measure.Control
	id string // of the tuning, short; "" is any
}

// ready is how long an update or a version may take. With SnapStart a version takes minutes.
const ready = 10 * time.Minute

// configure sets the memory and the marker of $LATEST; a zero marker removes it. base is the configuration that the
// caller knows. If that is no longer current, the error is measure.ErrForeign, and nothing has changed.
func (f *function) configure(ctx context.Context, base *measure.Config, memory int, m marker) (*measure.Config, error) {
	_, own := markerOf(base.Description)
	in := &lambda.UpdateFunctionConfigurationInput{
		MemorySize: aws.Int32(int32(memory)), Description: aws.String(m.before(own)), RevisionId: base.RevisionId,
	}
	now, err := f.Update(ctx, base, in, func(now *measure.Config) bool {
		return aws.ToInt32(now.MemorySize) == int32(memory) && aws.ToString(now.Description) == *in.Description
	})
	if err != nil {
		return nil, fmt.Errorf("setting %s to %d MB: %w", f.Name, memory, err)
	}
	return now, nil
}

// clean restores the memory and deletes the versions of the tuning. It does as much as it can and may be called
// again. found reports whether there was anything to do.
func (f *function) clean(ctx context.Context) (found bool, err error) {
	found, err = f.restore(ctx)
	versions, problem := f.Versions(ctx, markedAs(f.mine))
	problems := []error{err, problem}
	for _, v := range versions {
		problems = append(problems, f.Drop(ctx, v))
	}
	return found || len(versions) > 0, errors.Join(problems...)
}

func (f *function) mine(m marker) bool { return m.id != "" && (f.id == "" || f.id == m.id) }

// restore sets the memory of $LATEST back. It keeps everything else that somebody changed meanwhile.
func (f *function) restore(ctx context.Context) (found bool, err error) {
	for range 5 {
		c, err := f.Settle(ctx, "", "") // a failed update can be followed by another
		if _, failed := errors.AsType[*measure.Failed](err); err != nil && (!failed || c == nil) {
			return found, err
		}
		m, _ := markerOf(c.Description)
		if !f.mine(m) {
			return found, nil
		}
		found = true
		if _, err = f.configure(ctx, c, m.memory, marker{}); !errors.Is(err, measure.ErrForeign) {
			return found, err
		}
	}
	return found, fmt.Errorf("restoring the memory of %s: %w", f.Name, measure.ErrForeign)
}

// optimise applies the result if the input asks for that: it sets the memory and, if an alias is named, points it
// at a new version.
func optimise(ctx context.Context, f *function, in Input, out *Output) error {
	if !in.AutoOptimize || in.DryRun {
		return nil
	}
	c, err := f.Settle(ctx, "", "")
	if err != nil {
		return err
	}
	if int(aws.ToInt32(c.MemorySize)) != out.Power {
		if _, err = f.configure(ctx, c, out.Power, marker{}); err != nil {
			return err
		}
	}
	out.Optimised = fmt.Sprintf("memory set to %d MB", out.Power)
	if in.AutoOptimizeAlias == "" {
		return nil
	}
	// If this is called twice, it makes one version, because nothing changes in between.
	none := func(*types.FunctionConfiguration) bool { return false }
	version, err := f.Publish(ctx, &lambda.PublishVersionInput{FunctionName: &f.Name}, none)
	if err != nil {
		return fmt.Errorf("%d MB: %w", out.Power, err)
	}
	if _, err := f.Settle(ctx, version, ""); err != nil {
		return err
	}
	if err := f.point(ctx, in.AutoOptimizeAlias, version); err != nil {
		return err
	}
	out.Optimised += fmt.Sprintf(", alias %s points at version %s", in.AutoOptimizeAlias, version)
	return nil
}

// point makes or moves an alias.
func (f *function) point(ctx context.Context, name, version string) error {
	ctx = context.WithoutCancel(ctx)
	in := lambda.CreateAliasInput{FunctionName: &f.Name, Name: &name, FunctionVersion: &version}
	_, err := f.API.CreateAlias(ctx, &in)
	if measure.Code(err) == "ResourceConflictException" {
		to := lambda.UpdateAliasInput{FunctionName: in.FunctionName, Name: in.Name, FunctionVersion: in.FunctionVersion}
		_, err = f.API.UpdateAlias(ctx, &to)
	}
	if err != nil {
		return fmt.Errorf("pointing alias %s of %s at version %s: %w", name, f.Name, version, measure.Brief(err))
	}
	return nil
}

// publish makes a version for a power value and waits until it can be invoked. If the function or its account does
// not accept the value, the error is a *failure. now is $LATEST afterwards.
func (f *function) publish(
	ctx context.Context, base *measure.Config, power int, m marker,
) (version string, now *measure.Config, err error) {
	if now, err = f.configure(ctx, base, power, m); err != nil {
		return "", nil, refused(err)
	}
	in := &lambda.PublishVersionInput{FunctionName: &f.Name, RevisionId: now.RevisionId}
	if version, err = f.Publish(ctx, in, markedAs(func(other marker) bool { return other == m })); err != nil {
		return "", nil, refused(fmt.Errorf("%d MB: %w", power, err))
	}
	if _, err = f.Settle(ctx, version, ""); err != nil {
		return "", nil, refused(err)
	}
	now, err = f.Look(ctx, "") // PublishVersion changes the revision of $LATEST
	return version, now, err
}

// refused turns Lambda's refusal of a power value into a failure of that value. It returns other errors as they are.
func refused(err error) error {
	if _, failed := errors.AsType[*measure.Failed](err); failed || measure.Code(err) == "InvalidParameterValueException" {
		return &failure{why: measure.OneLine(err.Error(), 200), final: true}
	}
	return err
}

// markedAs returns a function that reports whether a version has a wanted marker.
func markedAs(wanted func(marker) bool) func(*types.FunctionConfiguration) bool {
	return func(v *types.FunctionConfiguration) bool {
		m, _ := markerOf(v.Description)
		return wanted(m)
	}
}

// describable returns an error if the description has no room for a marker.
func (f *function) describable(c *measure.Config) error {
	_, own := markerOf(c.Description)
	widest := marker{f.id, arm.MaxMemoryMB, int(time.Now().UnixMicro())}
	if over := len([]rune(widest.before(own))) - arm.MaxDescription; over > 0 {
		return fmt.Errorf("the description of %s has no room for a tuning's mark: shorten it by %d characters", f.Name, over)
	}
	return nil
}
