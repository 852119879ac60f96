package measure

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/account"
)

// controlPlaneAttempts is how often a control-plane call is tried. Throttles are usual while many functions are
// updated.
const controlPlaneAttempts = 8

// NewClient returns a client that repeats throttled control-plane calls.
func NewClient(cfg aws.Config) *lambda.Client { return lambda.NewFromConfig(cfg, patiently) }

// NewLabClient returns a client of a Lambda API on this machine, such as http://127.0.0.1:9001. It reads no AWS
// configuration, so no profile can direct it elsewhere.
func NewLabClient(endpoint string) *lambda.Client {
	return lambda.New(lambda.Options{
		BaseEndpoint: aws.String(endpoint), Region: "us-east-1",
		HTTPClient:  account.HTTPClient{BuildableClient: awshttp.NewBuildableClient()},
		Credentials: credentials.NewStaticCredentialsProvider("lab", "lab", ""),
		APIOptions:  []func(*middleware.Stack) error{smithyhttp.AddHeaderValue(arm.HeaderCounts, "1")},
	}, patiently)
}

func patiently(o *lambda.Options) {
	o.Retryer = retry.NewStandard(func(so *retry.StandardOptions) {
		so.MaxAttempts = controlPlaneAttempts
		so.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(refused)}, so.Retryables...)
	})
}

// refused stops retries if nothing listens at the endpoint, so that a wrong endpoint is reported at once.
func refused(err error) aws.Ternary {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// traced returns a client that begins a trace with each call and says whether X-Ray records it. With active tracing,
// Lambda follows the caller's decision.
// See https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_lambda.Tracing.html.
func traced(api *lambda.Client, sampled string) *lambda.Client {
	if sampled == "" {
		return api
	}
	header := func(s *middleware.Stack) error {
		var id [20]byte
		_, _ = rand.Read(id[:]) // it never fails
		trace := fmt.Sprintf("Root=1-%08x-%x;Parent=%x;Sampled=%s", time.Now().Unix(), id[:12], id[12:], sampled)
		return smithyhttp.SetHeaderValue("X-Amzn-Trace-Id", trace)(s)
	}
	o := api.Options()
	o.APIOptions = append(slices.Clone(o.APIOptions), header)
	return lambda.New(o)
}

// Once turns retries off.
func Once(o *lambda.Options) { o.Retryer = aws.NopRetryer{} }

// Unfit returns the reason why no cold start of a deployed function may be forced, or nil.
func Unfit(ctx context.Context, client *lambda.Client, function string) error {
	one := &lambda.ListProvisionedConcurrencyConfigsInput{FunctionName: &function, MaxItems: aws.Int32(1)}
	provisioned, err := client.ListProvisionedConcurrencyConfigs(ctx, one)
	if err != nil {
		return fmt.Errorf("looking for provisioned concurrency of %s: %w", function, Brief(err))
	}
	if len(provisioned.ProvisionedConcurrencyConfigs) > 0 {
		return fmt.Errorf("%s has provisioned concurrency: its callers do not meet forced cold starts; "+
			"see what they meet with twinstart logs", function)
	}
	pages := lambda.NewListAliasesPaginator(client, &lambda.ListAliasesInput{FunctionName: &function})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("listing the aliases of %s: %w", function, Brief(err))
		}
		for _, a := range page.Aliases {
			if aws.ToString(a.FunctionVersion) == "$LATEST" {
				return fmt.Errorf("%s: alias %s points at $LATEST, which a run changes: its callers would meet each forced "+
					"cold start; point it at a version, or measure a copy of the function", function, aws.ToString(a.Name))
			}
		}
	}
	return nil
}
