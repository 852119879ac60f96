package measure

import (
	"context"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/twinstart/twinstart/arm"
)

// streamed is Invoke by InvokeWithResponseStream. Of a response it keeps as much as one that is not streamed may have.
// https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html
func streamed(api API) func(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	return func(ctx context.Context, in *lambda.InvokeInput, options ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
		answer, err := api.InvokeWithResponseStream(ctx, &lambda.InvokeWithResponseStreamInput{FunctionName: in.FunctionName, Qualifier: in.Qualifier, Payload: in.Payload, LogType: in.LogType}, options...)
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
		if err = stream.Err(); err == nil && !ended {
			err = io.ErrUnexpectedEOF
		}
		if err != nil { // as an answer that was lost
			return nil, &smithy.OperationError{ServiceID: lambda.ServiceID, OperationName: "InvokeWithResponseStream", Err: err}
		}
		return out, nil
	}
}
