package measure

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// Sample is the result of an invocation, besides its record.
type Sample struct {
	Response []byte
	Failed   bool // a function error
	Crashed  bool // the environment has ended, so the next invocation runs INIT within its Duration
	Log      string
	Tail     logline.Tail
}

// Take invokes a function once, without the SDK's retries, and adds the result to rec. If the sample is not what it
// should be, rec has a mark. If stream is true, Lambda streams the response. An error means that nothing was
// measured; it comes from Lambda or the connection.
func Take(
	ctx context.Context, api *lambda.Client, in *lambda.InvokeInput, stream bool, rec *record.Record,
) (Sample, error) {
	invoke := api.Invoke
	if stream {
		invoke = streaming{lambda.New(api.Options())}.Invoke // streams of one client share a decoder in smithy-go 1.28
	}
	in.LogType = types.LogTypeTail
	begin := time.Now()
	rec.StartedAt = begin.UTC().Truncate(time.Microsecond)
	out, err := invoke(ctx, in, Once)
	wait := time.Since(begin)
	if err != nil {
		return Sample{}, err
	}
	rec.Schema = record.Schema
	rec.ClientDurationMs = new(float64(wait.Microseconds()) / 1000)
	rec.RequestID, _ = awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
	if answer, ok := awsmiddleware.GetRawResponse(out.ResultMetadata).(*smithyhttp.Response); ok {
		rec.LogStream = answer.Header.Get(arm.HeaderLogStream)
	}
	log, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if err != nil {
		log = nil // as if there was no log; it is marked below
	}
	s := Sample{Response: out.Payload, Failed: out.FunctionError != nil, Log: string(log)}
	s.Read(rec, rec.RequestID)
	if s.Failed {
		rec.FunctionError = functionError(*out.FunctionError, out.Payload)
		s.Crashed = s.Tail.Report != nil && s.Tail.Report.Crashed() || crash.MatchString(rec.FunctionError)
	}
	return s, nil
}

// crash matches errors after which Lambda ends the environment. It is needed if the REPORT is missing.
var crash = regexp.MustCompile(`Task timed out|Runtime\.(ExitError|OutOfMemory)`)

// Read adds the figures of the invocation requestID ("" means any) from the log to the record.
func (s *Sample) Read(rec *record.Record, requestID string) {
	s.Tail = logline.ParseTail(s.Log, requestID)
	fill(rec, s.Tail)
	if rec.Marked = mark(rec, s.Tail); rec.Marked == "" && s.Failed {
		rec.Marked = record.FunctionFailed // its Duration is that of a failure
	}
}

// sample measures one invocation. It returns an error only if the context ended or no other call can succeed.
// Anything else that fails is a mark in the record.
func (f *function) sample(ctx context.Context, rec *record.Record) (crashed bool, err error) {
	f.identify(rec)
	var s Sample
	if f.url != nil {
		s, err = f.url.take(ctx, f.Payload(f.opts.Payload), rec)
	} else {
		s, err = Take(ctx, f.API, f.call(), false, rec)
	}
	switch {
	case err == nil:
		if rec.Marked == "" && f.url == nil {
			rec.Marked = f.other(rec, s.Tail)
		}
		return s.Crashed, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case Refused(err):
		return false, Brief(err)
	case Throttle(err):
		rec.Marked = record.Throttled
	default:
		rec.Marked = record.NoAnswer.With(Brief(err).Error())
		if denied(err) {
			f.dropped = fmt.Sprintf("invoking %s: %v", f.FunctionName, Brief(err))
		}
	}
	return false, nil
}

// throttledAgain is how often a throttled sample is repeated.
const throttledAgain = 3

// take measures a sample and writes it. If the sample is set apart, aside says why. A throttled sample never ran: it is
// written, and measured again.
func (r *run) take(ctx context.Context, f *function, rec record.Record, aside record.Mark) (crashed bool, err error) {
	for again := 0; ; again++ {
		one := rec
		if crashed, err = f.sample(ctx, &one); err != nil {
			return false, err
		}
		throttled := one.Marked == record.Throttled
		var foreign error
		if one.Start == record.Cold && f.Deployed != nil && !throttled {
			if foreign = f.verify(ctx); errors.Is(foreign, ErrForeign) {
				one.Marked = record.Changed.With(foreign.Error())
			}
		}
		switch {
		case aside != "" && one.Marked == "":
			one.Marked = aside
		case aside == record.Priming:
			one.Marked = aside.With(string(one.Marked))
		}
		if err := r.write(f, one); err != nil {
			return false, err
		}
		if foreign != nil {
			return crashed, r.trouble(ctx, f, foreign)
		}
		if !throttled || again == throttledAgain {
			return crashed, nil
		}
		if err := Sleep(ctx, 4*r.opts.Poll<<again); err != nil {
			return false, err
		}
	}
}

// call is an invocation of what is measured: $LATEST, a version of the run's, or an alias.
func (f *function) call() *lambda.InvokeInput {
	of := optional(cmp.Or(f.version, f.Alias))
	return &lambda.InvokeInput{FunctionName: &f.FunctionName, Payload: f.Payload(f.opts.Payload), Qualifier: of}
}

// identify says in a record what is measured, and by which run.
func (f *function) identify(rec *record.Record) {
	rec.Schema, rec.RunID, rec.Source, rec.Region = record.Schema, f.opts.RunID, f.opts.Source, f.opts.Region
	rec.Identify(f.Identity)
	rec.PackageSizeBytes = f.PackageSizeBytes
	if f.Set.Provisioned > 0 || f.standing {
		rec.InitializationType = record.ProvisionedConcurrency
	}
}

// other returns a mark if the caller waited for something else than the arm that was to be measured, or "".
func (f *function) other(rec *record.Record, tail logline.Tail) record.Mark {
	total, cold := rec.ColdTotalMs()
	if rec.Ahead() {
		init := tail.Report.InitDurationMs
		switch {
		case init == nil:
		case tail.Init && tail.Ahead <= logline.Awaited:
			if rec.InitializationType = record.OnDemand; rec.Load == nil {
				return record.Spilled
			}
		// The log does not say when INIT was, but the caller waited long enough for it.
		case rec.Load != nil && !tail.Init && *rec.ClientDurationMs >= *init+*rec.DurationMs:
			rec.InitializationType = record.OnDemand
		}
		cold = false
	}
	switch memory := tail.Report.MemorySizeMB; {
	case f.Set.Sampled != "" && tail.Report.Sampled != "" && tail.Report.Sampled != f.Set.Sampled:
		return record.Untraced
	case f.Deployed != nil && memory != nil && *memory != f.MemorySizeMB:
		return record.Changed.With(fmt.Sprintf("it had %d MB", *memory))
	case cold && *rec.ClientDurationMs < total:
		return record.InitAhead.With("the call took less time than INIT and Duration")
	case cold && tail.Ahead > logline.Awaited:
		return record.InitAhead.With(fmt.Sprintf("%v before the invocation", tail.Ahead.Round(time.Second)))
	}
	return ""
}

func fill(rec *record.Record, tail logline.Tail) {
	if r := tail.Report; r != nil {
		rec.InitDurationMs, rec.DurationMs, rec.BilledDurationMs = r.InitDurationMs, r.DurationMs, r.BilledDurationMs
		rec.RestoreDurationMs, rec.BilledRestoreDurationMs = r.RestoreDurationMs, r.BilledRestoreDurationMs
		rec.MaxMemoryUsedMB = r.MaxMemoryUsedMB
		rec.RequestID = cmp.Or(rec.RequestID, r.RequestID)
	}
	rec.EventPhasesMs = tail.EventPhases
	if rec.Start == record.Cold { // a bootstrap that was restarted within a warm invocation writes them, too
		rec.InitPhasesMs = tail.InitPhases
	}
	if l := tail.Lab; l != nil {
		rec.Counts = l.Counts
	}
}

// mark says why a sample is not what it should be; "" means that it is.
func mark(rec *record.Record, tail logline.Tail) record.Mark {
	began, restored := rec.StartMs()
	started := began != nil
	if rec.Start == "" && tail.Report != nil { // the caller does not know
		rec.Start = record.Warm
		if started {
			rec.Start = record.Cold
		}
	}
	switch {
	case tail.Report == nil:
		return record.NoReport
	case tail.Problem != nil:
		return record.BadReport.With(OneLine(tail.Problem.Error(), 200))
	case rec.Start == record.Cold && !started && !rec.Ahead():
		return record.ColdWithoutInit
	case rec.Start == record.Warm && started:
		return record.WarmWithInit
	case rec.Start == record.Cold && rec.Restore != "" && !restored: // after a crash Lambda runs INIT again
		return record.NotRestored
	}
	return ""
}

// functionError returns Lambda's error response in one line. kind is the X-Amz-Function-Error header.
func functionError(kind string, payload []byte) string {
	var e struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(payload, &e) != nil || e.ErrorType+e.ErrorMessage == "" {
		return OneLine(fmt.Sprintf("%s: %s", kind, payload), 200)
	}
	return OneLine(cmp.Or(e.ErrorType, kind)+": "+e.ErrorMessage, 200)
}

// streaming invokes by InvokeWithResponseStream. It keeps only as much of a response as Invoke may return.
// https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html
type streaming struct{ *lambda.Client }

func (c streaming) Invoke(
	ctx context.Context, in *lambda.InvokeInput, options ...func(*lambda.Options),
) (*lambda.InvokeOutput, error) {
	answer, err := c.InvokeWithResponseStream(ctx, &lambda.InvokeWithResponseStreamInput{
		FunctionName: in.FunctionName, Qualifier: in.Qualifier, Payload: in.Payload, LogType: in.LogType}, options...)
	if err != nil {
		return nil, err
	}
	out, ended := &lambda.InvokeOutput{ResultMetadata: answer.ResultMetadata}, false
	stream := answer.GetStream()
	defer stream.Close()
	for event := range stream.Events() {
		switch e := event.(type) {
		case *types.InvokeWithResponseStreamResponseEventMemberPayloadChunk:
			out.Payload = append(out.Payload, e.Value.Payload[:min(len(e.Value.Payload), arm.MaxPayload-len(out.Payload))]...)
		case *types.InvokeWithResponseStreamResponseEventMemberInvokeComplete:
			ended, out.LogResult = true, e.Value.LogResult
			if out.FunctionError = e.Value.ErrorCode; out.FunctionError != nil {
				out.Payload = []byte(aws.ToString(e.Value.ErrorDetails))
			}
		}
	}
	if !ended { // the answer was lost; after the end of the response the connection does not matter
		lost := fmt.Errorf("%w: %w", errCutOff, cmp.Or(stream.Err(), io.ErrUnexpectedEOF))
		return nil, &smithy.OperationError{ServiceID: lambda.ServiceID, OperationName: "InvokeWithResponseStream", Err: lost}
	}
	return out, nil
}

// errCutOff means that a connection ended in the middle of a response.
var errCutOff = errors.New("the response was cut off")
