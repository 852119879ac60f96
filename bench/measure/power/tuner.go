// Package power finds the memory size at which a Lambda function is cheapest, fastest, or the best of both.
//
// It takes the input of AWS Lambda Power Tuning 4.4.0 and gives its output, with more beside it. One tuning is:
//
//	ParseInput -> Initialise -> Publish -> Measure -> Clean -> Analyse -> Optimise
//
// Tuner.Run does that in one process, Tuner.Sweep for several functions together, as `twinstart tune` does; Steps does each for a state machine, which carries the Plan and the
// Progress between them. Both invoke published versions of the function, one for each power value (its memory size in MB), and leave
// the function as it was: versions and aliases are deleted and the memory is restored whatever happens in between, see Marker.
//
// Three durations are kept apart: INIT, restore (SnapStart) and the handler's. Where one figure is asked for, as in the output's
// "duration", it is their sum, as in Power Tuning.
package power

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/report/price"
)

// Tuner tunes functions.
type Tuner struct {
	Lambda *lambda.Client
	// Connect gives a client of another region or, with the ARN of a role, of another account; "" for the tuner's own. nil: Lambda serves all.
	Connect func(ctx context.Context, region, role string) (*lambda.Client, error)
	Records measure.Sink  // takes a record of each invocation; nil for none
	Beside  int           // invocations of a round that run side by side; 0 is 1
	Fetch   Fetch         // nil where payloadS3 cannot be read
	Prices  *price.Table  // nil for the built-in one
	Source  string        // "lab" or "aws", for the output; "" is aws
	Seed    uint32        // of the order of power values; 0 draws one from the id
	Region  string        // where a function is that is given by its name; "" takes default prices
	Poll    time.Duration // first pause between looks at the control plane; 0 is 200 ms

	// Observe, where set, is called after each version and each invocation, one at a time.
	Observe func(Event)
}

// Event is one step forward.
type Event struct {
	Phase       string // "publish" or "measure"
	Function    string // its candidate's name, "" where there is one function
	Power       int    // MB
	Done, Total int    // of the phase
}

const (
	defaultPoll  = 200 * time.Millisecond
	cleanTimeout = 5 * time.Minute
)

func (t *Tuner) prices() *price.Table { return cmp.Or(t.Prices, price.Default()) }

func (t *Tuner) function(ctx context.Context, in Input, id string) (*function, error) {
	api, err := t.connect(ctx, in.Region, in.Role)
	if err != nil {
		return nil, err
	}
	control := measure.Control{API: api, Name: in.Function, Poll: cmp.Or(t.Poll, defaultPoll), Ready: ready}
	return &function{Control: control, id: id}, nil
}

// connect is the client for a region and a role, "" for the tuner's own.
func (t *Tuner) connect(ctx context.Context, region, role string) (*lambda.Client, error) {
	if t.Connect == nil || role == "" && (region == "" || region == t.Region) {
		return t.Lambda, nil
	}
	return t.Connect(ctx, region, role)
}

func (t *Tuner) source() string { return cmp.Or(t.Source, "aws") }

// clean cleans up whether or not ctx is done.
func (t *Tuner) clean(ctx context.Context, f *function) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTimeout)
	defer cancel()
	_, err := f.clean(ctx)
	if err != nil {
		return fmt.Errorf("cleaning up: %w", err)
	}
	return nil
}

// Clean removes what tunings of a function left that were killed: versions, aliases, the changed memory. found says whether
// there was any of it.
func (t *Tuner) Clean(ctx context.Context, functionName string) (found bool, err error) {
	r := &reader{wrong: map[string]bool{}}
	in := Input{}
	if in.Function, _, in.Region = r.function("--function", functionName); len(r.mistakes) > 0 {
		return false, &InputError{r.mistakes}
	}
	f, err := t.function(ctx, in, "")
	if err != nil {
		return false, err
	}
	return f.clean(ctx)
}

// payloads fetches those of S3.
func (t *Tuner) payloads(ctx context.Context, in *Input) error {
	if in.PayloadS3 != "" {
		if t.Fetch == nil {
			return fmt.Errorf("payloadS3 %s: S3 is out of reach here: put the payload into a file and give --payload", in.PayloadS3)
		}
		data, err := t.Fetch(ctx, in.PayloadS3)
		if err != nil {
			return err
		}
		if in.Payloads, err = ParsePayloads(data, in.Num); err != nil {
			return fmt.Errorf("%s %w", in.PayloadS3, err)
		}
	}
	if slices.ContainsFunc(in.Payloads.events, func(e []byte) bool { return len(e) > arm.MaxPayload }) {
		return errors.New("the payload is larger than the 6 MB that Lambda takes")
	}
	return nil
}

func (t *Tuner) observe(e Event) {
	if t.Observe != nil {
		t.Observe(e)
	}
}

// optimise applies the result, where that was asked for: the memory, and with an alias a version that it points at.
func optimise(ctx context.Context, f *function, in Input, out *Output) error {
	if !in.AutoOptimize || in.DryRun {
		return nil
	}
	c, err := f.Settle(ctx, "", "")
	if err != nil {
		return err
	}
	if int(aws.ToInt32(c.MemorySize)) != out.Power {
		if _, err = f.configure(ctx, c, out.Power, nil); err != nil {
			return err
		}
	}
	out.Optimised = fmt.Sprintf("memory set to %d MB", out.Power)
	if in.AutoOptimizeAlias == "" {
		return nil
	}
	v, err := f.API.PublishVersion(unbroken(ctx), &lambda.PublishVersionInput{FunctionName: &f.Name}) // twice is once: nothing has changed in between
	if err != nil {
		return fmt.Errorf("publishing %s at %d MB: %w", f.Name, out.Power, measure.Brief(err))
	}
	version := aws.ToString(v.Version)
	if _, err := f.Settle(ctx, version, ""); err != nil {
		return err
	}
	if err := f.point(ctx, in.AutoOptimizeAlias, version); err != nil {
		return err
	}
	out.Optimised += fmt.Sprintf(", alias %s points at version %s", in.AutoOptimizeAlias, version)
	return nil
}

// Connector gives clients of other regions and, by assuming roles, of other accounts: each once. It is Tuner.Connect.
func Connector(cfg aws.Config) func(ctx context.Context, region, role string) (*lambda.Client, error) {
	var mu sync.Mutex
	clients := map[[2]string]*lambda.Client{}
	return func(_ context.Context, region, role string) (*lambda.Client, error) {
		mu.Lock()
		defer mu.Unlock()
		k := [2]string{region, role}
		if clients[k] == nil {
			there := cfg.Copy()
			there.Region = cmp.Or(region, there.Region)
			if role != "" {
				there.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(there), role, func(o *stscreds.AssumeRoleOptions) {
					o.RoleSessionName = "twinstart-tune"
				}))
			}
			clients[k] = measure.NewClient(there)
		}
		return clients[k], nil
	}
}

// Fetch reads an object of S3, "s3://bucket/key".
type Fetch func(ctx context.Context, uri string) ([]byte, error)

// FromS3 reads payloads of S3, or of what stands in for it at AWS_ENDPOINT_URL: there a bucket is part of the path, for it has no host name.
func FromS3(cfg aws.Config) Fetch {
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })
	return func(ctx context.Context, uri string) ([]byte, error) {
		bucket, key, err := splitS3(uri)
		if err != nil {
			return nil, err
		}
		out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
		if err != nil {
			return nil, fmt.Errorf("reading %s (is it there, and may the tuning read it?): %w", uri, measure.Brief(err))
		}
		defer out.Body.Close()
		data, err := io.ReadAll(io.LimitReader(out.Body, 4*arm.MaxPayload+1))
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", uri, err)
		}
		if len(data) > 4*arm.MaxPayload { // several weighted payloads may be in it
			return nil, fmt.Errorf("%s has more than %d bytes", uri, 4*arm.MaxPayload)
		}
		return data, nil
	}
}
