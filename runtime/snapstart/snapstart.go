// Package snapstart gives SnapStart to Go functions whose runtime client lacks it, such as aws-lambda-go 1.55.1. Start
// the client's loop when Wait returns:
//
//	func main() {
//		if err := snapstart.Wait(prime, reconnect); err != nil {
//			log.Fatal(err)
//		}
//		lambda.Start(handle)
//	}
package snapstart

import (
	"log"
	"os"

	"github.com/twinstart/twinstart/runtime/httpclient"
	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

// Wait calls before, waits, and calls after. Lambda makes the snapshot while Wait waits; Wait goes on in each
// environment that is restored from the snapshot. before and after may be nil. If one fails, Wait reports the error to
// Lambda and returns it; the program should then exit. Without SnapStart, Wait calls neither.
func Wait(before, after func() error) error {
	if os.Getenv("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start" {
		return nil
	}
	client := runtimeapi.Client{
		Transport: httpclient.New(os.Getenv("AWS_LAMBDA_RUNTIME_API"), runtimeapi.UserAgent("snapstart")),
		Log:       func(line string) { log.Print(line) },
	}
	return client.Snapshot(hook(before, runtimeapi.BeforeSnapshotError), hook(after, runtimeapi.AfterRestoreError))
}

func hook(do func() error, kind string) func() *runtimeapi.Error {
	return func() *runtimeapi.Error {
		if do != nil {
			if err := do(); err != nil {
				return &runtimeapi.Error{Type: kind, Message: err.Error()}
			}
		}
		return nil
	}
}
