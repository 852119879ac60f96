package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

func TestMain(m *testing.M) {
	status := m.Run()
	jsii.Close()
	os.Exit(status)
}

// synthesized returns the stack's template for some functions, as text and decoded.
func synthesized(t *testing.T, functions string) (text string, document map[string]any) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bootstrap"), []byte("#!"), 0o755); err != nil {
		t.Fatal(err)
	}
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false)})
	if err := define(app, functions, awslambda.Code_FromAsset(&dir, nil)); err != nil {
		t.Fatal(err)
	}
	stack := app.Node().FindChild(jsii.String(stackName)).(awscdk.Stack)
	template := *assertions.Template_FromStack(stack, nil).ToJSON()
	b, err := json.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), template
}

// The tuner may change only the named functions, and may never delete a function as a whole. An output says how to
// start it.
func TestNamedFunctions(t *testing.T) {
	text, document := synthesized(t, "orders-*, , arn:aws:lambda:eu-west-1:123456789012:function:hello")
	for _, want := range []string{`":function:orders-*"`, `":function:orders-*:*"`, `"arn:aws:lambda:eu-west-1:123456789012:function:hello:*"`, "aws stepfunctions start-execution --state-machine-arn", `"StateMachine":{`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	for name, r := range document["Resources"].(map[string]any) {
		resource := r.(map[string]any)
		if resource["Type"] != "AWS::IAM::ManagedPolicy" {
			continue
		}
		for _, s := range resource["Properties"].(map[string]any)["PolicyDocument"].(map[string]any)["Statement"].([]any) {
			statement, _ := json.Marshal(s)
			if strings.Contains(string(statement), "DeleteFunction") && (strings.Contains(string(statement), `function:hello"`) || strings.Contains(string(statement), `orders-*"`)) {
				t.Errorf("%s may delete a function: %s", name, statement)
			}
		}
	}
}

// The plain template has a parameter for the functions and uses the program beside it. It has nothing that belongs to
// the CDK.
func TestPlainTemplate(t *testing.T) {
	text, document := synthesized(t, "")
	parameters := document["Parameters"].(map[string]any)
	if len(parameters) != 1 || parameters["FunctionNames"] == nil || !strings.Contains(text, `"Code":"tunestep.zip"`) || strings.Contains(text, "bootstrap-version") {
		t.Errorf("parameters %v in %s", parameters, text)
	}
	if strings.Contains(text, `"Default":"*"`) {
		t.Error("the parameter's default allows all functions of the account")
	}
}

func TestMistakes(t *testing.T) {
	for _, functions := range []string{"orders:live", "a b", "arn:aws:s3:::bucket", "arn:aws:lambda:eu-west-1:123456789012:function:hello:1"} {
		app := awscdk.NewApp(nil)
		if err := define(app, functions, awslambda.Code_FromInline(jsii.String("x"))); err == nil || !strings.Contains(err.Error(), "prop Patterns holds") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v", functions, err)
		}
	}
}
