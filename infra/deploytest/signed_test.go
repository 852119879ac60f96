//go:build deploy

package deploytest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestSignedCalls writes an item to DynamoDB with lambda_aws. Then it runs the handler of examples/, which reads items
// with lambda_aws.
func TestSignedCalls(t *testing.T) {
	t.Parallel()
	a := openAccount(t, "100000000006")
	template := `{"Resources": {"Visits": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "visits", "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": [{"AttributeName": "page", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "page", "KeyType": "HASH"}]}}}}`
	client := cloudformation.NewFromConfig(a.config(t))
	must(client.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("Visits"), TemplateBody: &template}))(t)
	for {
		stack := must(client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("Visits")}))(t).Stacks[0]
		if stack.StackStatus == types.StackStatusCreateComplete {
			break
		} else if stack.StackStatus != types.StackStatusCreateInProgress {
			t.Fatalf("the table's stack is %s", stack.StackStatus)
		}
	}
	bash := func(script string) string {
		cmd := exec.Command("bash", "-euc", script)
		cmd.Env = append(a.environment(), "TABLE=visits", "AWS_SESSION_TOKEN=token", "TWINSTART_LIB="+filepath.Join(repository, "runtime", "handlerlib", "lambda.sh"))
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s\n%s", err, out, a.logTail())
		}
		return string(out)
	}
	bash(`. "$TWINSTART_LIB"; lambda_aws dynamodb / -H 'content-type: application/x-amz-json-1.0' -H 'x-amz-target: DynamoDB_20120810.PutItem' ` +
		`-d '{"TableName": "visits", "Item": {"page": {"S": "/a \"b\""}, "visits": {"N": "42"}}}'`)
	handler := `. ` + filepath.Join(repository, "examples", "handlers", "visits", "handler.sh") + `; run `
	for event, want := range map[string]string{
		`'{"rawPath": "/a \"b\""}'`: `{"statusCode": 200, "headers": {"content-type": "application/json"}, "body": "{\"visits\": 42}"}`,
		`'{"rawPath": "/none"}'`:    `{"statusCode": 200, "headers": {"content-type": "application/json"}, "body": "{\"visits\": 0}"}`,
	} {
		if got := bash(handler + event); got != want {
			t.Errorf("%s: %s, want %s", event, got, want)
		}
	}
}
