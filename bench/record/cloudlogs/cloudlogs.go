// Package cloudlogs reads the logs of deployed functions from CloudWatch Logs.
package cloudlogs

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/record/importer"
)

// reports is a filter pattern for all lines of the platform about invocations and INIT, in text and in JSON. Each kind
// of line has its own term, because AWS does not promise that a term matches a part of a word.
// See https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html.
const reports = `?"REPORT RequestId" ?"START RequestId" ?"END RequestId" ?"INIT_START" ?"INIT_REPORT" ` +
	`?"RESTORE_REPORT" ?"platform.report" ?"platform.start" ?"platform.runtimeDone" ?"platform.initStart" ` +
	`?"platform.initReport" ?"platform.restoreReport"`

// Events yields the platform's events of a log group since a time, in CloudWatch's order. It may yield other events,
// too. An error ends the sequence.
func Events(ctx context.Context, cfg aws.Config, group string, since time.Time) iter.Seq2[importer.Event, error] {
	return func(yield func(importer.Event, error) bool) {
		client, found := cloudwatchlogs.NewFromConfig(cfg), false
		once := func(o *cloudwatchlogs.FilterLogEventsPaginatorOptions) {
			o.StopOnDuplicateToken = true // an emulator may repeat the last token
		}
		for _, pattern := range []*string{aws.String(reports), nil} { // an emulator may not know the pattern: read all lines
			if found {
				break
			}
			in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group, FilterPattern: pattern}
			in.StartTime = aws.Int64(since.UnixMilli())
			pages := cloudwatchlogs.NewFilterLogEventsPaginator(client, in, once)
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

// explain adds what to do about common errors of the service.
func explain(group string, err error) error {
	hint := map[string]string{
		"ResourceNotFoundException": "; a function's group is /aws/lambda/NAME, and its first invocation creates it",
		"AccessDeniedException":     "; allow logs:FilterLogEvents",
	}[measure.Code(err)]
	return fmt.Errorf("reading log group %s: %w%s", group, measure.Brief(err), hint)
}
