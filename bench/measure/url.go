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

// functionURL is a function's HTTP endpoint. Its answers carry no log, so nothing says which of them were cold starts.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
type functionURL struct {
	address string
	signed  bool // it accepts signed requests only (AWS_IAM)
	by      lambda.Options
}

func (f *function) findURL(ctx context.Context) (*functionURL, error) {
	in := &lambda.GetFunctionUrlConfigInput{FunctionName: &f.FunctionName, Qualifier: optional(f.Alias)}
	out, err := f.API.GetFunctionUrlConfig(ctx, in)
	if Code(err) == "ResourceNotFoundException" {
		return nil, fmt.Errorf("%s has no function URL: add one (AWS::Lambda::Url), or leave out --via url", f.FunctionName)
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the URL of %s: %w", f.FunctionName, Brief(err))
	}
	return &functionURL{*out.FunctionUrl, out.AuthType == types.FunctionUrlAuthTypeAwsIam, f.API.Options()}, nil
}

// take is Take over HTTP. A status of 400 or more is the function's failure, except 429, which is a throttle. If AWS
// itself refuses a signed request with 403, its answer names the error's type.
func (u *functionURL) take(ctx context.Context, payload []byte, rec *record.Record) (s Sample, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.address, bytes.NewReader(payload))
	if err != nil {
		return s, err
	}
	request.Header.Set("Content-Type", "application/json")
	if u.signed {
		credentials, err := u.by.Credentials.Retrieve(ctx) // of Lambda's client
		if err != nil {
			return s, fmt.Errorf("get credentials: %w", err)
		}
		digest, now := fmt.Sprintf("%x", sha256.Sum256(payload)), time.Now()
		if err := v4.NewSigner().SignHTTP(ctx, credentials, request, digest, "lambda", u.by.Region, now); err != nil {
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
