// Package cloudlogs reads the logs of deployed functions from CloudWatch Logs.
package cloudlogs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/smithy-go"

	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/record/importer"
)

// API is the part of CloudWatch Logs that this package calls. *cloudwatchlogs.Client implements it.
type API interface {
	FilterLogEvents(context.Context, *cloudwatchlogs.FilterLogEventsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error)
}

// reports is a filter pattern for all that the platform says of invocations and of INIT, in text and in JSON, and for what a bootstrap
// writes of its phases. A term of its own for each: whether a term matches within a word is not promised.
// See https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html.
const reports = `?"REPORT RequestId" ?"START RequestId" ?"END RequestId" ?"INIT_START" ?"INIT_REPORT" ?"RESTORE_REPORT" ` +
	`?"platform.report" ?"platform.start" ?"platform.runtimeDone" ?"platform.initStart" ?"platform.initReport" ?"platform.restoreReport" ?"twinstartPhases"`

// NewClient takes region, credentials and endpoint from where every AWS tool does: AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL.
func NewClient(ctx context.Context) (client *cloudwatchlogs.Client, region string, err error) {
	cfg, err := account.InRegion(ctx, "")
	if err != nil {
		return nil, "", err
	}
	return cloudwatchlogs.NewFromConfig(cfg), cfg.Region, nil
}

// Events yields the platform's events of a log group, and possibly others, from since on, in CloudWatch's order. An
// error ends the sequence.
func Events(ctx context.Context, api API, group string, since time.Time) iter.Seq2[importer.Event, error] {
	return func(yield func(importer.Event, error) bool) {
		in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group, FilterPattern: aws.String(reports), StartTime: aws.Int64(since.UnixMilli())}
		found := false
		for {
			page, err := api.FilterLogEvents(ctx, in)
			if err != nil {
				yield(importer.Event{}, explain(group, err))
				return
			}
			found = found || len(page.Events) > 0
			for _, e := range page.Events {
				event := importer.Event{Stream: aws.ToString(e.LogStreamName), Message: aws.ToString(e.Message)}
				if e.Timestamp != nil {
					event.Time = time.UnixMilli(*e.Timestamp)
				}
				if !yield(event, nil) {
					return
				}
			}
			next := aws.ToString(page.NextToken)
			if next != "" && next != aws.ToString(in.NextToken) { // an emulator may repeat the last token
				in.NextToken = page.NextToken
				continue
			}
			if found || in.FilterPattern == nil {
				return
			}
			in.FilterPattern, in.NextToken = nil, nil // an emulator may not know the pattern: read all lines
		}
	}
}

// explain keeps the service's code and message, and adds what to do about common ones.
func explain(group string, err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fmt.Errorf("reading log group %s: %w", group, err)
	}
	hint := ""
	switch api.ErrorCode() {
	case "ResourceNotFoundException":
		hint = "; a function's is /aws/lambda/NAME, and comes with its first invocation"
	case "AccessDeniedException":
		hint = "; allow logs:FilterLogEvents"
	}
	return fmt.Errorf("reading log group %s: %s: %s%s", group, api.ErrorCode(), api.ErrorMessage(), hint)
}
