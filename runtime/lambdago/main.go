//go:build linux

// Lambdago is a bootstrap on aws-lambda-go's own loop, and a process per event: what most people would write. Build it with -tags
// lambda.norpc, as AWS says to.
//
// Where aws-lambda-go decides, it stays as it is, for it is what is measured: its User-Agent, no error type in a header, an end of
// the process at any status but 202. It leaves out POST /init/error; that is done here before its loop starts.
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
	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

func main() {
	_, handler, err := perevent.Start("lambdago", os.Args, httpclient.New)
	if err != nil {
		perevent.Log(err.Error())
		os.Exit(1)
	}
	perevent.InitEnds()
	lambda.Start(&adapter{perevent.NewRunner(handler, syscall.Environ())})
}

// adapter is a Runner as aws-lambda-go's Handler.
type adapter struct{ runner *perevent.Runner }

// Invoke implements lambda.Handler on the bytes of the event.
func (a *adapter) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	response, failure := a.runner.Run(invocation(ctx, event))
	perevent.EventEnds()
	if failure != nil {
		return nil, messages.InvokeResponse_Error{Type: failure.Type, Message: failure.Message}
	}
	return response, nil
}

// invocation undoes what aws-lambda-go made of the headers. Client context and Cognito identity it has parsed, so they are
// encoded again: the same data, not the same text.
func invocation(ctx context.Context, event []byte) *runtimeapi.Invocation {
	inv := &runtimeapi.Invocation{Event: event}
	if deadline, ok := ctx.Deadline(); ok {
		inv.DeadlineMS = strconv.FormatInt(deadline.UnixMilli(), 10)
	}
	inv.TraceID, _ = ctx.Value("x-amzn-trace-id").(string)
	lc, ok := lambdacontext.FromContext(ctx)
	if !ok {
		return inv
	}
	inv.RequestID, inv.FunctionARN, inv.TenantID = lc.AwsRequestID, lc.InvokedFunctionArn, lc.TenantID
	if c := lc.ClientContext; c.Client != (lambdacontext.ClientApplication{}) || c.Env != nil || c.Custom != nil {
		inv.ClientContext = encode(map[string]any{"client": c.Client, "env": c.Env, "custom": c.Custom})
	}
	if id := lc.Identity; id != (lambdacontext.CognitoIdentity{}) {
		inv.CognitoIdentity = encode(map[string]string{"cognitoIdentityId": id.CognitoIdentityID, "cognitoIdentityPoolId": id.CognitoIdentityPoolID})
	}
	return inv
}

// encode makes JSON of what was JSON, which cannot fail.
func encode(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
