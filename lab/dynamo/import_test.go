package dynamo

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/lab/assembly"
)

// A table begins with the items of the file that it imports. All values have type S.
func TestImport(t *testing.T) {
	file := filepath.Join(t.TempDir(), "items.csv")
	about := assembly.Table{TableName: "t", Import: file, AttributeDefinitions: []assembly.Attribute{{AttributeName: "pk", AttributeType: "S"}, {AttributeName: "n", AttributeType: "S"}},
		KeySchema: []assembly.Key{{AttributeName: "pk", KeyType: "HASH"}, {AttributeName: "n", KeyType: "RANGE"}}}
	must(t, os.WriteFile(file, []byte("pk,n,more\na,2,\"x, y\"\na,1,z\n"), 0o600))
	s, err := New([]assembly.Table{about}, 0)
	must(t, err)
	_, answer := s.answer("Query", strings.NewReader(`{"TableName":"t","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"a"}}}`))
	text, err := json.Marshal(answer)
	must(t, err)
	if want := `"Items":[{"more":{"S":"z"},"n":{"S":"1"},"pk":{"S":"a"}},{"more":{"S":"x, y"},"n":{"S":"2"},"pk":{"S":"a"}}]`; !strings.Contains(string(text), want) {
		t.Errorf("%s, want %s", text, want)
	}
	must(t, os.WriteFile(file, []byte("pk,n\na,2\na,\n"), 0o600))
	if _, err := New([]assembly.Table{about}, 0); err == nil || !strings.HasPrefix(err.Error(), "importing the items of table t: line 3: ") {
		t.Errorf("a row without a sort key: %v", err)
	}
}
