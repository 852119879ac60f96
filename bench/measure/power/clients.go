package power

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure"
)

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
