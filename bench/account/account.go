// Package account reads the AWS configuration from the environment: region, credentials, endpoint.
package account

import (
	"bufio"
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
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
)

var (
	mu   sync.Mutex
	read = map[string]aws.Config{} // by the environment
)

// Config reads region, credentials and endpoint as every AWS tool does: from AWS_PROFILE, AWS_REGION,
// AWS_ENDPOINT_URL and the shared configuration. It reads them once, so that a profile with MFA asks for one code per
// process.
func Config(ctx context.Context) (aws.Config, error) {
	mu.Lock()
	defer mu.Unlock()
	environment := slices.DeleteFunc(os.Environ(), func(v string) bool { return !strings.HasPrefix(v, "AWS_") && !strings.HasPrefix(v, "HOME=") })
	slices.Sort(environment)
	key := strings.Join(environment, "\x00")
	if cfg, known := read[key]; known {
		return cfg, nil
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}), config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
		o.TokenProvider = askForCode(os.Stdin, os.Stderr)
		o.Client = stsAt{o.Client, cmp.Or(os.Getenv("AWS_ENDPOINT_URL_STS"), os.Getenv("AWS_ENDPOINT_URL"))}
	}))
	if err != nil {
		return aws.Config{}, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if cfg.HTTPClient == nil { // whoever makes a client of a service would then choose the SDK's own
		cfg.HTTPClient = awshttp.NewBuildableClient()
	}
	cfg.HTTPClient = wholeBodies{cfg.HTTPClient}
	read[key] = cfg
	return cfg, nil
}

// wholeBodies hides that a request's body can write itself. smithy-go 1.28 closes a body when the response comes,
// and its WriteTo then returns io.EOF, for which net/http closes the connection: the response is lost if the service
// answers at once, as services on this machine do.
type wholeBodies struct{ aws.HTTPClient }

func (c wholeBodies) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.HTTPClient.Do(r)
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
	return map[string]string{"AWS_ACCESS_KEY_ID": c.AccessKeyID, "AWS_SECRET_ACCESS_KEY": c.SecretAccessKey, "AWS_SESSION_TOKEN": c.SessionToken}, nil
}

// Explain replaces the SDK's long error about missing credentials by one line that says what to do.
func Explain(err error) error {
	if strings.Contains(err.Error(), "no EC2 IMDS role found") { // the last place in which the SDK looks
		return errors.New("no AWS credentials: run `aws sso login` or `aws login`, or set AWS_PROFILE")
	}
	return err
}

// InRegion returns the configuration for a region, or for its own region if the argument is "". If there is none, it
// returns an error.
func InRegion(ctx context.Context, region string) (aws.Config, error) {
	cfg, err := Config(ctx)
	cfg.Region = cmp.Or(region, cfg.Region)
	if err == nil && cfg.Region == "" {
		err = errors.New("no AWS region: set AWS_REGION, or a region in your AWS_PROFILE, or give the function's ARN")
	}
	return cfg, err
}

// askForCode asks on a terminal for the code of an MFA device, as the AWS CLI does. Standard output belongs to results.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html.
func askForCode(in io.Reader, out io.Writer) func() (string, error) {
	return func() (string, error) {
		fmt.Fprint(out, "Enter MFA code: ")
		line, err := bufio.NewReader(in).ReadString('\n')
		code := strings.TrimSpace(line)
		if code == "" && err == nil {
			err = errors.New("the line is empty")
		}
		if code == "" {
			return "", fmt.Errorf("the profile asks for an MFA code and standard input has none: log in first, as with "+
				"`aws sts get-session-token`, or start this in a terminal (%w)", err)
		}
		return code, nil
	}
}

// stsAt sends AssumeRole to an endpoint, if one is set. The SDK would ask AWS itself for the roles of a profile and
// ignore AWS_ENDPOINT_URL.
type stsAt struct {
	stscreds.AssumeRoleAPIClient
	endpoint string
}

func (s stsAt) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, options ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	if s.endpoint != "" {
		options = append(options, func(o *sts.Options) { o.BaseEndpoint = &s.endpoint })
	}
	return s.AssumeRoleAPIClient.AssumeRole(ctx, in, options...)
}
