package lab_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func TestReservedConcurrency(t *testing.T) {
	t.Parallel()
	ctx, name := t.Context(), aws.String("F")
	c := client(t, newLab(t, function(t, "F", nil)))
	_, err := c.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: name, ReservedConcurrentExecutions: aws.Int32(0)})
	must(t, err)
	if _, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: name}); code(err) != "TooManyRequestsException" {
		t.Errorf("with a reserved concurrency of 0: %v", err)
	}
	got, err := c.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: name})
	must(t, err)
	if got.ReservedConcurrentExecutions == nil || *got.ReservedConcurrentExecutions != 0 {
		t.Errorf("a reserved concurrency of 0 is read as %+v", got)
	}
	_, err = c.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: name})
	must(t, err)
	if got := invoke(t, c, "F", `{}`); got.failure != "" {
		t.Errorf("after the deletion: %+v", got)
	}
}

// INIT must be over before the first invocation. That invocation's log reports INIT, but its Billed Duration does not
// include INIT.
func TestProvisionedConcurrency(t *testing.T) {
	t.Parallel()
	ctx, name, one := t.Context(), aws.String("F"), aws.String("1")
	c := client(t, newLab(t, function(t, "F", map[string]any{"MemorySize": 1769})))
	_, err := c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name})
	must(t, err)
	get := func() (*lambda.GetProvisionedConcurrencyConfigOutput, error) {
		return c.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: name, Qualifier: one})
	}
	if _, err := get(); code(err) != "ProvisionedConcurrencyConfigNotFoundException" {
		t.Errorf("before a provisioned concurrency was set: %v", err)
	}
	_, err = c.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{FunctionName: name, Qualifier: one, ProvisionedConcurrentExecutions: aws.Int32(2)})
	must(t, err)
	eventually(t, "not all environments are ready", func() string {
		got, err := get()
		must(t, err)
		if got.Status == types.ProvisionedConcurrencyStatusEnumReady && *got.AvailableProvisionedConcurrentExecutions == 2 {
			return ""
		}
		return string(got.Status)
	})
	got := invoke(t, c, "F:1", `{"do":"about"}`)
	if !strings.Contains(got.payload, "AWS_LAMBDA_INITIALIZATION_TYPE=provisioned-concurrency") {
		t.Errorf("got %s", got.payload)
	}
	matches(t, got.log, strings.Replace(start, "$LATEST", "1", 1)+end+strings.Replace(cold, "128", "1769", 1)+"\n")
	var duration, billed float64
	_, after, _ := strings.Cut(got.log, "\tDuration: ")
	if _, err := fmt.Sscanf(after, "%f ms Billed Duration: %f ms", &duration, &billed); err != nil || billed > math.Ceil(duration)+1 { // the log rounds
		t.Errorf("INIT is billed: %v: %s", err, got.log)
	}
	_, err = c.DeleteProvisionedConcurrencyConfig(ctx, &lambda.DeleteProvisionedConcurrencyConfigInput{FunctionName: name, Qualifier: one})
	must(t, err)
	if got := invoke(t, c, "F:1", `{"do":"about"}`); !strings.Contains(got.payload, "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand") {
		t.Errorf("after its deletion: %s", got.payload)
	}
}
