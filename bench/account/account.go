// Package account reads the AWS configuration from the environment: region, credentials, endpoint.
package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

var (
	mu   sync.Mutex
	read = map[string]aws.Config{} // by the environment variables that it depends on
)

// Config reads region, credentials and endpoint as every AWS tool does: from AWS_PROFILE, AWS_REGION,
// AWS_ENDPOINT_URL and the shared configuration. It reads them again only if these variables change, so a profile
// with MFA asks for its code once.
func Config(ctx context.Context) (aws.Config, error) {
	mu.Lock()
	defer mu.Unlock()
	environment := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return !strings.HasPrefix(v, "AWS_") && !strings.HasPrefix(v, "HOME=")
	})
	slices.Sort(environment)
	key := strings.Join(environment, "\x00")
	if cfg, known := read[key]; known {
		return cfg, nil
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}),
		config.WithAssumeRoleCredentialOptions(assumeRole))
	if err != nil {
		return aws.Config{}, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	withCA, _ := cfg.HTTPClient.(*awshttp.BuildableClient) // of AWS_CA_BUNDLE
	cfg.HTTPClient = HTTPClient{cmp.Or(withCA, awshttp.NewBuildableClient())}
	read[key] = cfg
	return cfg, nil
}

// HTTPClient is the SDK's client, but it hides the WriteTo method of request bodies. smithy-go 1.28 closes a body when
// the response arrives. Its WriteTo then returns io.EOF, and net/http closes the connection. If the service answers at
// once, as services on this machine do, what has not been read of the response is lost.
type HTTPClient struct{ *awshttp.BuildableClient }

// Do sends a request.
func (c HTTPClient) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.BuildableClient.Do(r)
}

// Variables returns the caller's credentials as environment variables of AWS tools.
func Variables(ctx context.Context) (map[string]string, error) {
	cfg, err := Config(ctx)
	if err != nil {
		return nil, err
	}
	c, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading AWS credentials: %w", err)
	}
	return map[string]string{"AWS_ACCESS_KEY_ID": c.AccessKeyID, "AWS_SECRET_ACCESS_KEY": c.SecretAccessKey,
		"AWS_SESSION_TOKEN": c.SessionToken}, nil
}

// Explain replaces the SDK's long error about missing credentials by one line that says what to do.
func Explain(err error) error {
	if strings.Contains(err.Error(), "no EC2 IMDS role found") { // the SDK looks there last
		return errors.New("no AWS credentials: run `aws sso login` or `aws login`, or set AWS_PROFILE")
	}
	return err
}

// InRegion returns the configuration for a region; "" means the configured one. Without any region it returns an error.
func InRegion(ctx context.Context, region string) (aws.Config, error) {
	cfg, err := Config(ctx)
	cfg.Region = cmp.Or(region, cfg.Region)
	if err == nil && cfg.Region == "" {
		err = errors.New("no AWS region: set AWS_REGION, or a region in your AWS_PROFILE, or give the function's ARN")
	}
	return cfg, err
}
