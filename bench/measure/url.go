package measure

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// functionURL is where a function answers HTTP. Its answers have no log, so nothing says whether one was cold.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
type functionURL struct {
	address string
	client  lambda.HTTPClient
}

func (f *function) findURL(ctx context.Context) (*functionURL, error) {
	out, err := f.API.GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: &f.FunctionName})
	if Code(err) == "ResourceNotFoundException" {
		return nil, fmt.Errorf("%s has no function URL: give it one (AWS::Lambda::Url), or leave --via url out", f.FunctionName)
	}
	if err != nil {
		return nil, fmt.Errorf("looking for the URL of %s: %w", f.FunctionName, Brief(err))
	}
	if out.AuthType == types.FunctionUrlAuthTypeAwsIam {
		return nil, fmt.Errorf("the URL of %s takes signed requests only (AWS_IAM): leave --via url out, for Invoke is signed", f.FunctionName)
	}
	return &functionURL{*out.FunctionUrl, f.API.Options().HTTPClient}, nil
}

// take is Take by HTTP. A status of 400 or more is the function's failure, 429 a throttle.
func (u *functionURL) take(ctx context.Context, payload []byte, rec *record.Record) (s Sample, err error) {
	begin := time.Now()
	rec.StartedAt = begin.UTC().Truncate(time.Microsecond)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.address, bytes.NewReader(payload))
	if err != nil {
		return s, err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := u.client.Do(request)
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
	switch {
	case answer.StatusCode == http.StatusTooManyRequests:
		rec.Marked = record.Throttled
	case answer.StatusCode >= http.StatusBadRequest:
		s.Failed, rec.Marked = true, record.FunctionFailed
		rec.FunctionError = OneLine(fmt.Sprintf("HTTP %d: %s", answer.StatusCode, s.Response), 200)
	}
	return s, nil
}
