package measure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/bench/record"
)

// Mine reports whether a version is one of the caller's own.
type Mine func(*types.FunctionConfiguration) bool

// Versions returns the function's versions that are mine, in ascending order.
func (c *Control) Versions(ctx context.Context, mine Mine) (versions []string, err error) {
	pages := lambda.NewListVersionsByFunctionPaginator(c.API, &lambda.ListVersionsByFunctionInput{FunctionName: &c.Name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return versions, fmt.Errorf("listing the versions of %s: %w", c.Name, Brief(err))
		}
		for _, v := range page.Versions {
			if version := aws.ToString(v.Version); version != "$LATEST" && mine(&v) {
				versions = append(versions, version)
			}
		}
	}
	return versions, nil
}

// Publish makes exactly one version of the configuration. If an answer was lost, it looks for the version that is mine.
func (c *Control) Publish(ctx context.Context, in *lambda.PublishVersionInput, mine Mine) (version string, err error) {
	sent := context.WithoutCancel(ctx) // else the version might appear after a clean-up
	_, err = c.Again(ctx, func() error {
		if err := c.Pace.Wait(ctx); err != nil {
			return err
		}
		v, err := c.API.PublishVersion(sent, in)
		if err == nil {
			version = aws.ToString(v.Version)
			return nil
		}
		foreign := Code(err) == "PreconditionFailedException"
		if foreign || Transient(err) {
			if made, problem := c.Versions(sent, mine); problem == nil && len(made) > 0 {
				version = made[len(made)-1]
				return nil
			}
		}
		if foreign {
			return ErrForeign
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("publishing a version of %s: %w", c.Name, Brief(err))
	}
	return version, nil
}

// Drop deletes one version.
func (c *Control) Drop(ctx context.Context, version string) error {
	if version == "" { // the call would delete the function
		return nil
	}
	_, err := c.API.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &c.Name, Qualifier: &version})
	if err != nil && Code(err) != "ResourceNotFoundException" {
		return fmt.Errorf("deleting version %s of %s: %w", version, c.Name, Brief(err))
	}
	return nil
}

// versionMark begins the description of each version that a run publishes. The run deletes these versions; if it was
// killed, the next run does.
const versionMark = "twinstart run, will be deleted: "

// begin makes the next invocation start a new environment: of $LATEST, or of a version that begin publishes (see
// versioned). For an alias it changes nothing.
func (f *function) begin(ctx context.Context) (err error) {
	if f.Alias != "" {
		f.standing, err = f.allocated(ctx, f.Alias, time.Now())
		return err
	}
	if err := f.forceCold(ctx); err != nil || !f.versioned() {
		return err
	}
	f.pending = true // publishing gives $LATEST another revision
	description := versionMark + f.nonce
	mine := func(v *types.FunctionConfiguration) bool { return aws.ToString(v.Description) == description }
	in := &lambda.PublishVersionInput{FunctionName: &f.Name, Description: &description, RevisionId: f.known.RevisionId}
	if f.version, err = f.Publish(ctx, in, mine); err != nil {
		return err
	}
	_, err = f.Settle(ctx, f.version, "")
	if err == nil && f.Set.Provisioned > 0 {
		err = f.provision(ctx)
	}
	if err != nil {
		return errors.Join(err, f.end(ctx))
	}
	return nil
}

// versioned reports whether the run measures versions that it publishes and deletes.
func (f *function) versioned() bool { return f.SnapStart || f.Set.Provisioned > 0 }

// provision waits until the version has its provisioned environments.
func (f *function) provision(ctx context.Context) error {
	n, begin := int32(f.Set.Provisioned), time.Now()
	if err := f.Pace.Wait(ctx); err != nil {
		return err
	}
	_, err := f.API.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{
		FunctionName: &f.Name, Qualifier: &f.version, ProvisionedConcurrentExecutions: &n})
	if err != nil {
		return fmt.Errorf("provisioned concurrency of %s: %w", f.Name, Brief(err))
	}
	_, err = f.allocated(ctx, f.version, begin)
	return err
}

// allocated waits until a version or an alias has all the provisioned environments that it asks for, and reports
// whether it asks for any.
func (f *function) allocated(ctx context.Context, of string, begin time.Time) (has bool, err error) {
	in := &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: &f.Name, Qualifier: &of}
	for {
		if err = cmp.Or(f.pause(ctx, begin), f.Pace.Wait(ctx)); err != nil {
			return false, err
		}
		now, err := f.API.GetProvisionedConcurrencyConfig(ctx, in)
		switch {
		case Code(err) == "ProvisionedConcurrencyConfigNotFoundException":
			return false, nil
		case err != nil:
			return false, fmt.Errorf("provisioned concurrency of %s: %w", f.Name, Brief(err))
		case now.Status == types.ProvisionedConcurrencyStatusEnumReady:
			return true, nil
		case now.Status == types.ProvisionedConcurrencyStatusEnumFailed:
			return true, failed("provisioned concurrency of %s: %s", f.Name, now.StatusReason)
		case time.Since(begin) > f.Ready:
			return true, fmt.Errorf("provisioned concurrency of %s: %w after %v", f.Name, ErrNotReady, f.Ready)
		}
	}
}

// end deletes the version that begin has published. If the context has ended, sweep deletes it later.
func (f *function) end(ctx context.Context) error {
	version := f.version
	f.version = ""
	if version != "" && ctx.Err() == nil {
		return f.drop(ctx, version)
	}
	return nil
}

// drop deletes a version, and tries again while Lambda is busy with it.
func (f *function) drop(ctx context.Context, version string) error {
	_, err := f.Again(ctx, func() error {
		if err := f.Pace.Wait(ctx); err != nil {
			return err
		}
		if f.Set.Provisioned > 0 { // it costs money until it is deleted; if there is none, the error does not matter
			in := lambda.DeleteProvisionedConcurrencyConfigInput{FunctionName: &f.Name, Qualifier: &version}
			_, _ = f.API.DeleteProvisionedConcurrencyConfig(ctx, &in)
		}
		err := f.Drop(ctx, version)
		if Code(err) == "ResourceConflictException" { // its snapshot is being taken
			_, _ = f.Look(ctx, version) // the next try reports any trouble
		}
		return err
	})
	return err
}

// sweep deletes the versions that this run, or a run that was killed, has published.
func (f *function) sweep(ctx context.Context) error {
	left, err := f.Versions(ctx, func(v *types.FunctionConfiguration) bool {
		return strings.HasPrefix(aws.ToString(v.Description), versionMark)
	})
	problems := []error{err}
	for _, version := range left {
		problems = append(problems, f.drop(ctx, version))
	}
	return errors.Join(problems...)
}

// burst measures the restores of versions that many callers call at once, for all rounds that are not done. If a call
// was throttled, or met another call's environment, its round is repeated in the burst of another version, a few times.
func (r *run) burst(ctx context.Context, f *function, order int) error {
	var rounds []int
	for round := 1; round <= r.opts.Cold; round++ {
		if left(r.done, f.Target, record.Cold, record.WarmedRestore, round, 1) > 0 {
			rounds = append(rounds, round)
		}
	}
	for again := 0; len(rounds) > 0 && again <= throttledAgain && f.dropped == ""; {
		now := rounds[:min(len(rounds), max(1, r.opts.Burst))]
		if err := f.begin(ctx); err != nil {
			return r.trouble(ctx, f, err)
		}
		missed, err := r.together(ctx, f, now, order)
		if err := errors.Join(err, f.end(ctx)); err != nil {
			return r.trouble(ctx, f, err)
		}
		if len(missed) > 0 {
			again++
		}
		rounds = append(missed, rounds[len(now):]...)
	}
	return nil
}

// together calls a version once for each round, all at once.
func (r *run) together(ctx context.Context, f *function, rounds []int, order int) (missed []int, err error) {
	records, errs := make([]record.Record, len(rounds)), make([]error, len(rounds))
	var all sync.WaitGroup
	for i, round := range rounds {
		one := *f // a copy, because sample writes to it
		records[i] = record.Record{Round: round, Order: order, Start: record.Cold, Environment: round}
		records[i].Restore = record.WarmedRestore
		all.Go(func() { _, errs[i] = one.sample(ctx, &records[i]) })
	}
	all.Wait()
	for i := range records {
		if errs[i] != nil {
			err = errs[i]
			continue
		}
		if m := records[i].Marked; m.Is(record.Throttled) || m.Is(record.NoAnswer) || m.Is(record.ColdWithoutInit) {
			missed = append(missed, rounds[i])
		}
		if err := r.write(f, records[i]); err != nil {
			return nil, err
		}
	}
	return missed, err
}
