package measure

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/twinstart/twinstart/arm"
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
		BaseEndpoint: aws.String(endpoint),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("lab", "lab", ""),
		APIOptions:   []func(*middleware.Stack) error{smithyhttp.AddHeaderValue(arm.HeaderCounts, "1")},
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

// traced returns a client each of whose calls begins a trace and says itself whether X-Ray records it. With active
// tracing Lambda does as it says.
// See https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_lambda.Tracing.html.
func traced(api *lambda.Client, sampled string) *lambda.Client {
	if sampled == "" {
		return api
	}
	header := middleware.BuildMiddlewareFunc("TraceHeader", func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
		if request, ok := in.Request.(*smithyhttp.Request); ok {
			var id [20]byte
			_, _ = rand.Read(id[:]) // it never fails
			request.Header.Set("X-Amzn-Trace-Id", fmt.Sprintf("Root=1-%08x-%x;Parent=%x;Sampled=%s", time.Now().Unix(), id[:12], id[12:], sampled))
		}
		return next.HandleBuild(ctx, in)
	})
	o := api.Options()
	o.APIOptions = append(slices.Clone(o.APIOptions), func(s *middleware.Stack) error { return s.Build.Add(header, middleware.After) })
	return lambda.New(o)
}

// Once turns retries off.
func Once(o *lambda.Options) { o.Retryer = aws.NopRetryer{} }

// Unfit returns the reason why no cold start of a deployed function may be forced, or nil.
func Unfit(ctx context.Context, client *lambda.Client, function string) error {
	provisioned, err := client.ListProvisionedConcurrencyConfigs(ctx, &lambda.ListProvisionedConcurrencyConfigsInput{FunctionName: &function, MaxItems: aws.Int32(1)})
	if err != nil {
		return fmt.Errorf("looking for provisioned concurrency of %s: %w", function, Brief(err))
	}
	if len(provisioned.ProvisionedConcurrencyConfigs) > 0 {
		return fmt.Errorf("%s has provisioned concurrency: its callers meet few cold starts, and forced ones would say nothing of those: see what they meet with twinstart logs", function)
	}
	aliases, err := Aliases(ctx, client, function)
	for _, a := range aliases {
		if aws.ToString(a.FunctionVersion) == "$LATEST" {
			return fmt.Errorf("%s: alias %s points at $LATEST, which a run changes: its callers would meet each forced cold start; "+
				"point it at a version, or measure a copy of the function", function, aws.ToString(a.Name))
		}
	}
	return err
}

// Aliases returns the aliases of a function, those before an error too.
func Aliases(ctx context.Context, client *lambda.Client, function string) (all []types.AliasConfiguration, err error) {
	pages := lambda.NewListAliasesPaginator(client, &lambda.ListAliasesInput{FunctionName: &function})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return all, fmt.Errorf("listing the aliases of %s: %w", function, Brief(err))
		}
		all = append(all, page.Aliases...)
	}
	return all, nil
}

// Elsewhere explains why a function cannot be read: mostly it is in another region or another account.
func Elsewhere(ctx context.Context, cfg aws.Config, function string, err error) error {
	if code := Code(err); code != "ResourceNotFoundException" && !strings.HasPrefix(code, "AccessDenied") {
		return err
	}
	account, unknown := accountOf(ctx, cfg)
	if unknown != nil {
		return err
	}
	if parts := strings.Split(function, ":"); len(parts) > 4 && parts[4] != account {
		return fmt.Errorf("%s is of account %s, and the credentials are of %s: set AWS_PROFILE", function, parts[4], account)
	}
	if Code(err) != "ResourceNotFoundException" {
		return err
	}
	return fmt.Errorf("there is no function %s in %s of account %s: set AWS_REGION or AWS_PROFILE, or correct the name", function, cfg.Region, account)
}

// accountOf returns the account of the credentials.
func accountOf(ctx context.Context, cfg aws.Config) (string, error) {
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return aws.ToString(who.Account), nil
}
