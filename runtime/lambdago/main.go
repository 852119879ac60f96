//go:build linux

// Lambdago is a bootstrap on the loop of aws-lambda-go, with one process per event: what most people would write.
// Build it with -tags lambda.norpc, as AWS recommends.
//
// This arm measures aws-lambda-go, so it keeps the behaviour of aws-lambda-go: its User-Agent, no header with the error
// type, an exit at any status but 202. Only POST /init/error is added, which aws-lambda-go never sends: this program
// sends it before the loop starts.
package main

import (
	"context"
	"encoding/json"
	"os"
	"strconv"
	"syscall"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/twinstart/twinstart/runtime/httpclient"
	"github.com/twinstart/twinstart/runtime/perevent"
	"github.com/twinstart/twinstart/runtime/phases"
	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

func main() {
	_, handler, err := perevent.Start("lambdago", os.Args, httpclient.New)
	if err != nil {
		perevent.Log(err.Error())
		os.Exit(1)
	}
	perevent.WriteLog(phases.InitEnds())
	lambda.Start(&adapter{perevent.NewRunner(handler, syscall.Environ())})
}

// adapter makes a Runner an aws-lambda-go Handler.
type adapter struct{ runner *perevent.Runner }

// Invoke implements lambda.Handler. It takes and returns bytes.
func (a *adapter) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	response, failure := a.runner.Run(invocation(ctx, event))
	perevent.WriteLog(phases.EventEnds())
	if failure != nil {
		return nil, messages.InvokeResponse_Error{Type: failure.Type, Message: failure.Message}
	}
	return response, nil
}

// invocation restores the header values that aws-lambda-go has parsed. Client context and Cognito identity are encoded
// again: the data is the same, but the text may differ.
func invocation(ctx context.Context, event []byte) *runtimeapi.Invocation {
	inv := &runtimeapi.Invocation{Event: event}
	if deadline, ok := ctx.Deadline(); ok {
		inv.Context[runtimeapi.DeadlineMS] = strconv.FormatInt(deadline.UnixMilli(), 10)
	}
	inv.Context[runtimeapi.TraceID], _ = ctx.Value("x-amzn-trace-id").(string)
	lc, ok := lambdacontext.FromContext(ctx)
	if !ok {
		return inv
	}
	inv.Context[runtimeapi.RequestID] = lc.AwsRequestID
	inv.Context[runtimeapi.FunctionARN] = lc.InvokedFunctionArn
	inv.Context[runtimeapi.TenantID] = lc.TenantID
	if c := lc.ClientContext; c.Client != (lambdacontext.ClientApplication{}) || c.Env != nil || c.Custom != nil {
		inv.Context[runtimeapi.ClientContext] = encode(map[string]any{"client": c.Client, "env": c.Env, "custom": c.Custom})
	}
	if id := lc.Identity; id != (lambdacontext.CognitoIdentity{}) {
		inv.Context[runtimeapi.CognitoIdentity] = encode(map[string]string{
			"cognitoIdentityId": id.CognitoIdentityID, "cognitoIdentityPoolId": id.CognitoIdentityPoolID,
		})
	}
	return inv
}

// encode returns v as JSON. v was parsed from JSON, so that cannot fail.
func encode(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
