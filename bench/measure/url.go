package measure

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// functionURL is where a function answers HTTP. Its answers have no log, so nothing says whether one was cold.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
type functionURL struct {
	address string
	signed  bool // by AWS_IAM it takes signed requests only
	by      lambda.Options
}

func (f *function) findURL(ctx context.Context) (*functionURL, error) {
	out, err := f.API.GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: &f.FunctionName, Qualifier: optional(f.Alias)})
	if Code(err) == "ResourceNotFoundException" {
		return nil, fmt.Errorf("%s has no function URL: give it one (AWS::Lambda::Url), or leave --via url out", f.FunctionName)
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the URL of %s: %w", f.FunctionName, Brief(err))
	}
	return &functionURL{*out.FunctionUrl, out.AuthType == types.FunctionUrlAuthTypeAwsIam, f.API.Options()}, nil
}

// sign signs a request with the credentials of Lambda's client.
func (u *functionURL) sign(ctx context.Context, r *http.Request, payload []byte) error {
	credentials, err := u.by.Credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("get credentials: %w", err)
	}
	return v4.NewSigner().SignHTTP(ctx, credentials, r, fmt.Sprintf("%x", sha256.Sum256(payload)), "lambda", u.by.Region, time.Now())
}

// take is Take by HTTP. A status of 400 or more is the function's failure, 429 a throttle; what AWS refuses has a type.
func (u *functionURL) take(ctx context.Context, payload []byte, rec *record.Record) (s Sample, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.address, bytes.NewReader(payload))
	if err != nil {
		return s, err
	}
	request.Header.Set("Content-Type", "application/json")
	if u.signed {
		if err := u.sign(ctx, request, payload); err != nil {
			return s, err
		}
	}
	begin := time.Now()
	rec.StartedAt = begin.UTC().Truncate(time.Microsecond)
	answer, err := u.by.HTTPClient.Do(request)
	if err != nil {
		return s, err
	}
	defer answer.Body.Close()
	s.Response, err = io.ReadAll(io.LimitReader(answer.Body, arm.MaxPayload+1))
	wait := time.Since(begin)
	if err != nil {
		return s, err
	}
	rec.ClientDurationMs = new(float64(wait.Microseconds()) / 1000)
	rec.RequestID, rec.LogStream = answer.Header.Get("X-Amzn-Requestid"), answer.Header.Get(arm.HeaderLogStream)
	why := answer.Header.Get("X-Amzn-Errortype")
	switch {
	case answer.StatusCode == http.StatusForbidden && u.signed && why != "":
		why, _, _ = strings.Cut(why, ":")
		return s, &smithy.GenericAPIError{Code: why, Message: string(s.Response)}
	case answer.StatusCode == http.StatusTooManyRequests:
		rec.Marked = record.Throttled
	case answer.StatusCode >= http.StatusBadRequest:
		s.Failed, rec.Marked = true, record.FunctionFailed
		rec.FunctionError = OneLine(fmt.Sprintf("HTTP %d: %s", answer.StatusCode, s.Response), 200)
	}
	return s, nil
}
