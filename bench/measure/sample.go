package measure

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// sample invokes the function once and adds to rec what came of it. It returns an error only when the context ended: what
// else goes wrong is a mark in the record. crashed says that the environment is gone, so that the next invocation
// runs INIT inside its Duration.
func (f *function) sample(ctx context.Context, rec *record.Record) (crashed bool, err error) {
	rec.Schema, rec.RunID, rec.Source, rec.Region = record.Schema, f.opts.RunID, f.opts.Source, f.opts.Region
	rec.Identify(f.Identity)
	rec.PackageSizeBytes = f.PackageSizeBytes
	in := &lambda.InvokeInput{FunctionName: &f.FunctionName, Payload: f.opts.Payload, LogType: types.LogTypeTail}

	begin := time.Now()
	out, err := f.api.Invoke(ctx, in, once)
	wait := time.Since(begin)

	rec.StartedAt = begin.UTC().Truncate(time.Microsecond)
	if err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		var throttle *types.TooManyRequestsException
		if errors.As(err, &throttle) {
			rec.Marked = record.Throttled
			return false, nil
		}
		rec.Marked = record.NoAnswer.With(brief(err).Error())
		return false, nil
	}
	rec.ClientDurationMs = new(float64(wait.Microseconds()) / 1000)
	rec.RequestID, _ = awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
	log, err := base64.StdEncoding.DecodeString(str(out.LogResult))
	if err != nil {
		log = nil // as good as none: marked below
	}
	tail := logline.ParseTail(string(log), rec.RequestID)
	fill(rec, tail)
	rec.Marked = mark(rec, tail)
	if out.FunctionError != nil {
		rec.FunctionError = functionError(*out.FunctionError, out.Payload)
		if rec.Marked == "" {
			rec.Marked = record.FunctionFailed
		}
		crashed = tail.Report != nil && tail.Report.Crashed() || strings.Contains(rec.FunctionError, "Task timed out") ||
			strings.Contains(rec.FunctionError, "Runtime.ExitError")
	}
	return crashed, nil
}

func fill(rec *record.Record, tail logline.Tail) {
	if r := tail.Report; r != nil {
		rec.InitDurationMs, rec.RestoreDurationMs = r.InitDurationMs, r.RestoreDurationMs
		rec.DurationMs, rec.BilledDurationMs, rec.MaxMemoryUsedMB = r.DurationMs, r.BilledDurationMs, r.MaxMemoryUsedMB
		if rec.RequestID == "" {
			rec.RequestID = r.RequestID
		}
	}
	rec.EventPhasesMs = tail.EventPhases
	if rec.Start == record.Cold { // a bootstrap that was started anew within a warm invocation writes them too
		rec.InitPhasesMs = tail.InitPhases
	}
	if l := tail.Lab; l != nil {
		rec.Counts = l.Counts
	}
}

// mark says why a sample is not what it was meant to be, "" where it is.
func mark(rec *record.Record, tail logline.Tail) record.Mark {
	started := rec.InitDurationMs != nil || rec.RestoreDurationMs != nil
	switch {
	case tail.Report == nil:
		return record.NoReport
	case len(tail.Problems) > 0:
		return record.BadReport.With(oneLine(errors.Join(tail.Problems...).Error(), 200))
	case rec.Start == record.Cold && !started:
		return record.ColdWithoutInit
	case rec.Start == record.Warm && started:
		return record.WarmWithInit
	}
	return ""
}

// functionError is Lambda's error response in one line; kind is the X-Amz-Function-Error header.
func functionError(kind string, payload []byte) string {
	var e struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(payload, &e) != nil || e.ErrorType+e.ErrorMessage == "" {
		return oneLine(fmt.Sprintf("%s: %s", kind, payload), 200)
	}
	if e.ErrorType == "" {
		e.ErrorType = kind
	}
	return oneLine(e.ErrorType+": "+e.ErrorMessage, 200)
}
