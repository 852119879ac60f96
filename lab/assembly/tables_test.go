package assembly

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestTables(t *testing.T) {
	const keys = `"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]`
	dir, stack := stackOf(t, map[string]string{
		"manifest.json": `{"version":"1","artifacts":{"S":{"type":"aws:cloudformation:stack","properties":{"templateFile":"S.json"}}}}`,
		"S.json": `{"Resources":{
			"A":{"Type":"AWS::DynamoDB::Table","Properties":{"TableName":"own",` + keys + `,"BillingMode":"PAY_PER_REQUEST","ImportSourceSpecification":{"InputFormat":"CSV","S3BucketSource":{"S3Bucket":{"Ref":"B"},"S3KeyPrefix":"k.zip"}}}},
			"B":{"Type":"AWS::DynamoDB::GlobalTable","Properties":{` + keys + `,"GlobalSecondaryIndexes":[{"IndexName":"i","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}]}},
			"C":{"Type":"AWS::DynamoDB::Table","Properties":{"TableName":{"Fn::Sub":"${AWS::StackName}-c"},"KeySchema":{"Fn::If":["x","y","z"]}}},
			"D":{"Type":"AWS::DynamoDB::Table","Properties":{` + keys + `,"ImportSourceSpecification":{"InputFormat":"ION","S3BucketSource":{"S3KeyPrefix":"k.zip"}}}},
			"E":{"Type":"AWS::DynamoDB::Table","Properties":{` + keys + `,"ImportSourceSpecification":{"InputFormat":"CSV","S3BucketSource":{"S3KeyPrefix":"gone"}}}},
			"E2":{"Type":"AWS::DynamoDB::Table","Properties":{"AttributeDefinitions":[{"AttributeName":"n","AttributeType":"N"}],"KeySchema":[{"AttributeName":"n","KeyType":"HASH"}]}},
			"F":{"Type":"AWS::Lambda::Function","Properties":{"Code":{"S3Key":"k.zip"},"Environment":{"Variables":{"A":{"Ref":"A"},"B":{"Ref":"B"},"ARN":{"Fn::GetAtt":["A","Arn"]}}}}}}}`,
		"S.assets.json": `{"files":{"k":{"source":{"path":"k.zip"},"destinations":{"d":{"objectKey":"k.zip"}}}}}`,
		"k.zip":         "zip",
	})
	for i, want := range []Table{{TableName: "own", Import: filepath.Join(dir, "k.zip")}, {TableName: "B"}} {
		var rest Table
		if err := json.Unmarshal([]byte("{"+keys+"}"), &rest); err != nil {
			t.Fatal(err)
		}
		if want.AttributeDefinitions, want.KeySchema = rest.AttributeDefinitions, rest.KeySchema; want.TableName == "B" {
			want.GlobalSecondaryIndexes = []Index{{IndexName: "i", KeySchema: []Key{{"g", "HASH"}}, Projection: Projection{"ALL"}}}
		}
		if !reflect.DeepEqual(stack.Tables[i], want) {
			t.Errorf("got %+v, want %+v", stack.Tables[i], want)
		}
	}
	if c := stack.Tables[2]; c.TableName != "C" || c.Unread == nil {
		t.Errorf("a table that cannot be read: %+v", c)
	}
	for i, want := range []string{"as CSV, not as ION", `S3 key "gone" is not an asset`, "its key n is of type N, but the lab's tables have keys of type S"} {
		if d := stack.Tables[3+i]; d.Unread == nil || !strings.Contains(d.Unread.Error(), want) {
			t.Errorf("a table that is not served: %+v, want %s", d, want)
		}
	}
	if got := stack.Functions[0].Environment; got["A"] != "own" || got["B"] != "B" || got["ARN"] != "arn:aws:dynamodb:us-east-1:000000000000:table/own" {
		t.Errorf("variables: %v", got)
	}
}
