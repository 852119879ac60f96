package measure

import (
	"errors"
	"syscall"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go/middleware"

	"github.com/twinstart/twinstart/arm"
)

// controlPlaneAttempts is how often a control-plane call is tried: throttles are usual while many functions are updated.
const controlPlaneAttempts = 8

// NewClient is a client that waits out the throttling of control-plane calls.
func NewClient(cfg aws.Config) *lambda.Client { return lambda.NewFromConfig(cfg, patiently) }

// NewLabClient speaks to a Lambda API on this machine, such as http://127.0.0.1:9001. It reads no AWS configuration,
// so that a profile of the user's cannot make it speak to anything else.
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

// refused ends retries where nobody listens: a wrong endpoint is told at once, not after a minute of patience.
func refused(err error) aws.Ternary {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// Once turns retries off.
func Once(o *lambda.Options) { o.Retryer = aws.NopRetryer{} }
