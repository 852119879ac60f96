package lab_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
)

func errorCode(err error) string {
	var e smithy.APIError
	if !errors.As(err, &e) {
		return ""
	}
	return e.ErrorCode()
}

func publish(t testing.TB, c *lambda.Client, memory int32) string {
	t.Helper()
	update(t, c, &lambda.UpdateFunctionConfigurationInput{MemorySize: &memory})
	v, err := c.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("F"), Description: aws.String("d")})
	must(t, err)
	return *v.Version
}

func on(t testing.TB, c *lambda.Client, qualifier, event string) *lambda.InvokeOutput {
	t.Helper()
	out, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("F"), Qualifier: &qualifier, Payload: []byte(event), LogType: types.LogTypeTail})
	must(t, err)
	return out
}

func TestVersionsKeepTheirConfigurationAndEnvironments(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", nil)))
	small, large := publish(t, c, 256), publish(t, c, 512)
	if small != "1" || large != "2" {
		t.Fatalf("got %s and %s", small, large)
	}
	update(t, c, &lambda.UpdateFunctionConfigurationInput{MemorySize: aws.Int32(128)})
	_, err := c.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: aws.String("F"), Name: aws.String("live"), FunctionVersion: &small})
	must(t, err)
	for qualifier, want := range map[string]string{"1": "256", "2": "512", "$LATEST": "128"} {
		for i, cold := range []bool{true, false} {
			out := on(t, c, qualifier, `{}`)
			if log := tail(t, out); *out.ExecutedVersion != qualifier || !strings.Contains(log, "Memory Size: "+want+" MB") || strings.Contains(log, "Init Duration") != cold ||
				!strings.Contains(log, "Version: "+qualifier+"\n") {
				t.Errorf("%s, invocation %d: version %s, log %s", qualifier, i, *out.ExecutedVersion, log)
			}
		}
	}
	// An alias must use the environments of its version.
	if out := on(t, c, "live", `{"do":"about"}`); *out.ExecutedVersion != "1" || strings.Contains(tail(t, out), "Init Duration") || !strings.Contains(string(out.Payload), `"AWS_LAMBDA_FUNCTION_VERSION=1"`) {
		t.Errorf("got %s: %s", *out.ExecutedVersion, out.Payload)
	}
	got, err := c.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("F:live")})
	must(t, err)
	if *got.Version != "1" || *got.MemorySize != 256 || !strings.HasSuffix(*got.FunctionArn, ":F:1") || *got.Description != "d" {
		t.Errorf("got %+v", got)
	}
	// Versions must not be updated.
	_, err = c.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("F:1"), MemorySize: aws.Int32(128)})
	if errorCode(err) == "" {
		t.Errorf("a version was updated: %v", err)
	}
}

func TestPublishWithoutAChange(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", environment("KEEP", "me"))))
	first := publish(t, c, 256)
	// Reserved concurrency belongs to the whole function, so a change of it does not make a new version.
	_, err := c.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("F"), ReservedConcurrentExecutions: aws.Int32(2)})
	must(t, err)
	again, err := c.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("F")})
	must(t, err)
	if *again.Version != first {
		t.Errorf("got version %s", *again.Version)
	}
	if _, err := c.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("F"), RevisionId: aws.String("x")}); errorCode(err) != "PreconditionFailedException" {
		t.Errorf("got %v", err)
	}
	if _, err := c.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("F"), CodeSha256: aws.String("x")}); errorCode(err) != "InvalidParameterValueException" {
		t.Errorf("got %v", err)
	}
	// Another description of $LATEST is a change: Power Tuning's onlyColdStarts relies on that. Another description of
	// the version is not.
	_, err = c.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("F"), Description: aws.String("another")})
	must(t, err)
	for range 2 {
		if again, err = c.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("F"), Description: aws.String("by another name")}); err != nil || *again.Version != "2" {
			t.Errorf("got %+v, %v", again, err)
		}
	}
	_, err = c.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("F"), Qualifier: aws.String("2")})
	must(t, err)
	// A version's number must never be used again.
	_, err = c.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("F"), Qualifier: &first})
	must(t, err)
	if again, err = c.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("F")}); err != nil || *again.Version != "3" {
		t.Errorf("got %+v, %v", again, err)
	}
}

func TestAliasesAndDeletion(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", nil)))
	one, two := publish(t, c, 256), publish(t, c, 512)
	f, live := aws.String("F"), aws.String("live")
	ctx := t.Context()
	_, err := c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: f, Name: live, FunctionVersion: &one})
	must(t, err)
	codes := map[string]string{}
	_, err = c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: f, Name: live, FunctionVersion: &two})
	codes["an alias that exists"] = errorCode(err)
	_, err = c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: f, Name: aws.String("12"), FunctionVersion: &two})
	codes["a name of digits"] = errorCode(err)
	_, err = c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: f, Name: aws.String("x"), FunctionVersion: aws.String("9")})
	codes["an alias of no version"] = errorCode(err)
	_, err = c.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: f, Name: aws.String("x"), FunctionVersion: &one})
	codes["update of no alias"] = errorCode(err)
	_, err = c.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: f, Name: aws.String("x")})
	codes["get of no alias"] = errorCode(err)
	_, err = c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: f, Qualifier: &one})
	codes["deletion of an alias's version"] = errorCode(err)
	_, err = c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: f, Qualifier: live})
	codes["deletion by an alias"] = errorCode(err)
	for what, want := range map[string]string{"an alias that exists": "ResourceConflictException", "a name of digits": "InvalidParameterValueException",
		"an alias of no version": "ResourceNotFoundException", "update of no alias": "ResourceNotFoundException", "get of no alias": "ResourceNotFoundException",
		"deletion of an alias's version": "ResourceConflictException", "deletion by an alias": "InvalidParameterValueException"} {
		if codes[what] != want {
			t.Errorf("%s: got %q, want %s", what, codes[what], want)
		}
	}
	_, err = c.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: f, Name: live, FunctionVersion: &two})
	must(t, err)
	a, err := c.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: f, Name: live})
	if err != nil || *a.FunctionVersion != two {
		t.Errorf("got %+v, %v", a, err)
	}
	_, err = c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: f, Qualifier: &one})
	must(t, err)
	if _, err = c.Invoke(ctx, &lambda.InvokeInput{FunctionName: f, Qualifier: &one}); errorCode(err) != "ResourceNotFoundException" {
		t.Errorf("got %v", err)
	}
	versions, err := c.ListVersionsByFunction(ctx, &lambda.ListVersionsByFunctionInput{FunctionName: f})
	if err != nil || len(versions.Versions) != 2 || *versions.Versions[1].Version != two {
		t.Errorf("got %+v, %v", versions, err)
	}
	_, err = c.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: f, Name: live})
	must(t, err)
	aliases, err := c.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: f})
	if err != nil || len(aliases.Aliases) != 0 {
		t.Errorf("got %+v, %v", aliases, err)
	}
}

func TestAVersionDeletedWhileItRuns(t *testing.T) {
	t.Parallel()
	gate := newGate(t)
	defer gate.open()
	c := client(t, openLab(t, gate.options(), function(t, "F", map[string]any{"Timeout": 60})))
	one := publish(t, c, 256)
	done := make(chan *lambda.InvokeOutput)
	go func() { done <- on(t, c, one, `{"do":"hold"}`) }()
	gate.await(t, 1)
	_, err := c.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("F"), Qualifier: &one})
	must(t, err)
	gate.open()
	if out := <-done; out.FunctionError != nil {
		t.Errorf("got %s", out.Payload)
	}
}
