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

	"github.com/twinstart/twinstart/bench/record/importer"
)

// reports is a filter pattern for all that the platform says of invocations and of INIT, in text and in JSON. A term of
// its own for each: whether a term matches within a word is not promised.
// See https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html.
const reports = `?"REPORT RequestId" ?"START RequestId" ?"END RequestId" ?"INIT_START" ?"INIT_REPORT" ?"RESTORE_REPORT" ` +
	`?"platform.report" ?"platform.start" ?"platform.runtimeDone" ?"platform.initStart" ?"platform.initReport" ?"platform.restoreReport"`

// Events yields the platform's events of a log group, and possibly others, from since on, in CloudWatch's order. An
// error ends the sequence.
func Events(ctx context.Context, cfg aws.Config, group string, since time.Time) iter.Seq2[importer.Event, error] {
	return func(yield func(importer.Event, error) bool) {
		found := false
		for _, pattern := range []*string{aws.String(reports), nil} { // an emulator may not know the pattern: read all lines
			if found {
				break
			}
			in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group, FilterPattern: pattern, StartTime: aws.Int64(since.UnixMilli())}
			pages := cloudwatchlogs.NewFilterLogEventsPaginator(cloudwatchlogs.NewFromConfig(cfg), in, func(o *cloudwatchlogs.FilterLogEventsPaginatorOptions) {
				o.StopOnDuplicateToken = true // an emulator may repeat the last token
			})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err != nil {
					yield(importer.Event{}, explain(group, err))
					return
				}
				for _, e := range page.Events {
					event := importer.Event{Stream: aws.ToString(e.LogStreamName), Message: aws.ToString(e.Message)}
					if e.Timestamp != nil {
						event.Time = time.UnixMilli(*e.Timestamp)
					}
					if found = true; !yield(event, nil) {
						return
					}
				}
			}
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
