// Command tunestep is the Lambda function that the tuning state machine's tasks call; see infra/powertuning. It is
// a bootstrap for provided.al2023.
//
//	POWER_VALUES=128,256,512   the power values of executions whose input has none
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/measure"
	"github.com/twinstart/twinstart/bench/measure/power"
)

func main() {
	steps, err := newSteps(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "tunestep:", err)
		os.Exit(1)
	}
	lambda.Start(func(ctx context.Context, r power.Request) (any, error) {
		answer, err := steps.Handle(ctx, r)
		if err != nil { // Retry, Catch and EventBridge's rules match errors by name
			err = messages.InvokeResponse_Error{Type: power.ErrorName(err), Message: err.Error()}
		}
		return answer, err
	})
}

func newSteps(ctx context.Context) (*power.Steps, error) {
	var powers []int
	if err := json.Unmarshal([]byte("["+os.Getenv("POWER_VALUES")+"]"), &powers); err != nil {
		return nil, fmt.Errorf("POWER_VALUES: use whole numbers of MB, separated by commas: %w", err)
	}
	cfg, err := account.Config(ctx)
	if err != nil {
		return nil, err
	}
	tuner := power.Tuner{Lambda: measure.NewClient(cfg), Connect: power.Connector(cfg), Fetch: power.FromS3(cfg),
		Region: cfg.Region}
	return &power.Steps{Tuner: tuner, Defaults: power.Defaults{PowerValues: powers}}, nil
}
