// Package power finds the memory size with which a Lambda function is cheapest, fastest, or the best of both.
//
// It takes the input of AWS Lambda Power Tuning 4.4.0 and gives its output, with additions. A tuning is:
//
//	ParseInput -> Initialise -> Publish -> Measure -> Clean -> Analyse -> Optimise
//
// Tuner.Sweep does all of this in one process, for one function or several together, as `twinstart tune` does. Steps
// does one step at a time for a state machine, which carries the Plan and the Progress from step to step. Both invoke
// published versions of the function, one for each power value (its memory size in MB). Both leave the function as it
// was, whatever happens: versions are deleted and the memory is restored, see Mark.
//
// Three durations are kept apart: INIT, restore (SnapStart) and the handler's. A single figure, such as the
// output's "duration", is their sum, as in Power Tuning.
package power

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"golang.org/x/time/rate"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/report/price"
)

// Tuner tunes functions.
type Tuner struct {
	Lambda *lambda.Client
	// Connect returns a client of another region or, with the ARN of a role, of another account; "" means the
	// tuner's own. If it is nil, Lambda is used for all.
	Connect func(ctx context.Context, region, role string) (*lambda.Client, error)
	Records measure.Sink  // receives a record of each invocation; may be nil
	Beside  int           // invocations of a round at the same time; 0 means 1
	Fetch   Fetch         // nil means that payloadS3 cannot be read
	Prices  *price.Table  // nil means the built-in table
	Source  string        // "lab" or "aws", for the output; "" means aws
	Seed    uint32        // of the order of power values; 0 derives one from the id
	Region  string        // of functions that are given by name; "" means default prices
	Poll    time.Duration // first pause between looks at the control plane; 0 means 200 ms

	// Observe, if set, is called after each version and each invocation, one call at a time. phase is "publish" or
	// "measure", function a candidate's name.
	Observe func(phase, function string, power int)
}

const defaultPoll, cleanTimeout = 200 * time.Millisecond, 5 * time.Minute

// unpaced lets control-plane calls through at once: a tuning makes them one at a time.
var unpaced = rate.NewLimiter(rate.Inf, 0)

func (t *Tuner) prices() *price.Table { return cmp.Or(t.Prices, price.Default()) }

func (t *Tuner) function(ctx context.Context, in Input, id string) (*function, error) {
	api, err := t.connect(ctx, in.Region, in.Role)
	if err != nil {
		return nil, err
	}
	control := measure.Control{API: api, Name: in.Function, Poll: cmp.Or(t.Poll, defaultPoll), Ready: ready, Pace: unpaced}
	return &function{Control: control, id: short(id)}, nil
}

// connect returns the client for a region and a role; "" means the tuner's own.
func (t *Tuner) connect(ctx context.Context, region, role string) (*lambda.Client, error) {
	if t.Connect == nil || role == "" && (region == "" || region == t.Region) {
		return t.Lambda, nil
	}
	return t.Connect(ctx, region, role)
}

func (t *Tuner) source() string { return cmp.Or(t.Source, "aws") }

// clean cleans up even if ctx is done.
func (t *Tuner) clean(ctx context.Context, f *function) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTimeout)
	defer cancel()
	_, err := f.clean(ctx)
	if err != nil {
		return fmt.Errorf("cleaning up: %w", err)
	}
	return nil
}

// Clean removes what killed tunings of a function have left: versions and the changed memory. found reports
// whether there was anything.
func (t *Tuner) Clean(ctx context.Context, in Input) (found bool, err error) {
	f, err := t.function(ctx, in, "")
	if err != nil {
		return false, err
	}
	return f.clean(ctx)
}

// payloads fetches the payloads from S3.
func (t *Tuner) payloads(ctx context.Context, in *Input) error {
	if in.PayloadS3 != "" {
		if t.Fetch == nil {
			return fmt.Errorf("payloadS3 %s: S3 is not read here: put the payload into a file and give --payload", in.PayloadS3)
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

// Connector returns a Tuner.Connect. It makes one client for each region and, by assuming a role, for each account.
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
				named := func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "twinstart-tune" }
				assumed := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(there), role, named)
				there.Credentials = aws.NewCredentialsCache(assumed)
			}
			clients[k] = measure.NewClient(there)
		}
		return clients[k], nil
	}
}

// Fetch reads an object of S3, "s3://bucket/key".
type Fetch func(ctx context.Context, uri string) ([]byte, error)

// FromS3 returns a Fetch for S3, or for an emulator at AWS_ENDPOINT_URL. There the bucket is part of the path,
// because it has no host name.
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
		if len(data) > 4*arm.MaxPayload { // it may contain several weighted payloads
			return nil, fmt.Errorf("%s has more than %d bytes", uri, 4*arm.MaxPayload)
		}
		return data, nil
	}
}

func splitS3(uri string) (bucket, key string, err error) {
	rest, ok := strings.CutPrefix(uri, "s3://")
	bucket, key, found := strings.Cut(rest, "/")
	if ok && found {
		key, err = url.PathUnescape(key)
	}
	if !ok || !found || err != nil || bucket == "" || key == "" {
		return "", "", fmt.Errorf("%q is not s3://bucket/key", measure.OneLine(uri, 100))
	}
	return bucket, key, nil
}
