package dynamo

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/tools/need"
)

var requests = flag.Int("requests", 3000, "how many random requests TestAgainstDynalite sends")

// places has a sort key and an index. owners has no sort key.
var schemas = []string{
	`{"TableName":"places","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"},
		{"AttributeName":"gpk","AttributeType":"S"},{"AttributeName":"gsk","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
		"GlobalSecondaryIndexes":[{"IndexName":"geo-index","KeySchema":[{"AttributeName":"gpk","KeyType":"HASH"},{"AttributeName":"gsk","KeyType":"RANGE"}],
		"Projection":{"ProjectionType":"ALL"}}]}`,
	`{"TableName":"owners","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}`,
}

func newServer(t testing.TB) *Server {
	t.Helper()
	var tables []assembly.Table
	for _, schema := range schemas {
		var table assembly.Table
		must(t, json.Unmarshal([]byte(schema), &table))
		tables = append(tables, table)
	}
	s, err := New(tables, 0)
	must(t, err)
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// dynalite starts a dynalite with the tables of schemas, and returns its URL.
func dynalite(t *testing.T) string {
	t.Helper()
	node := need.Tool(t, "node")
	root, err := filepath.Abs("../..")
	must(t, err)
	cmd := exec.CommandContext(t.Context(), node, "-e", `const s = require('dynalite')({createTableMs: 0}); s.listen(0, '127.0.0.1', () => console.log(s.address().port))`)
	cmd.Dir = root
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	port, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	url := "http://127.0.0.1:" + strings.TrimSpace(port)
	for _, schema := range schemas {
		made := send(t, url, "CreateTable", strings.TrimSuffix(schema, "}")+`,"BillingMode":"PAY_PER_REQUEST"}`)
		if made.status != 200 {
			t.Fatalf("dynalite: %+v", made)
		}
	}
	for _, name := range []string{"places", "owners"} {
		for !strings.Contains(fmt.Sprint(send(t, url, "DescribeTable", `{"TableName":"`+name+`"}`)), "TableStatus:ACTIVE") {
			time.Sleep(10 * time.Millisecond)
		}
	}
	return url
}

type reply struct {
	status int
	body   map[string]any
}

func send(t testing.TB, url, operation, body string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	must(t, err)
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Date", "20260101T000000Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=b")
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(t, err)
	got := reply{status: answer.StatusCode}
	if err := json.Unmarshal(text, &got.body); err != nil {
		t.Fatalf("%s %s: %s: %v", operation, body, text, err)
	}
	return got
}

type object = map[string]any

// random makes requests with few different keys, so that many requests are about the same item.
type random struct{ *rand.Rand }

func (r random) of(choices ...any) any { return choices[r.IntN(len(choices))] }

func (r random) value(kind string) any {
	switch kind {
	case "S":
		return object{"S": r.of("a", "aa", "ab", "b", "RT:go:", "RT:go:1", "RT:go:2", "é", "z<>&\"", "\U0001F600")}
	case "N":
		return object{"N": r.of("0", "1", "-1", "-1.5", "1000", "0.001", "12345678901234567890123456789012345678", "10")} // as DynamoDB writes them
	case "B":
		return object{"B": r.of("AA==", "AAE=", "AQ==", "/w==", "//8=")}
	}
	return r.of(object{"BOOL": true}, object{"BOOL": false}, object{"NULL": true}, object{"SS": []any{"a", "b"}}, object{"NS": []any{"1", "2.5"}},
		object{"BS": []any{"AA=="}}, object{"L": []any{object{"S": "x"}, object{"N": "1"}, object{"L": []any{}}}}, object{"M": object{"n": object{"N": "100"}, "m": object{"M": object{}}}},
		object{}, object{"S": "a", "N": "1"}, object{"N": "x"}, object{"N": ""},
		object{"NULL": false}, object{"SS": []any{}}, object{"SS": []any{"a", "a"}}, object{"NS": []any{"1", "1"}}, object{"S": 1}, object{"B": "?"}, object{"X": "a"}, object{"L": []any{object{}}}, "a", 1, []any{})
}

// mostly returns a value of the given kind. One time in n the value may be of any kind.
func (r random) mostly(n int, kind string) any {
	if r.IntN(n) == 0 {
		kind = r.of("S", "N", "B", "").(string)
	}
	return r.value(kind)
}

func (r random) key(table string) object {
	key := object{"pk": r.mostly(30, "S")}
	if table != "owners" {
		key["sk"] = r.mostly(30, "S")
	}
	if r.IntN(30) == 0 {
		key["more"] = r.value("S")
	}
	if r.IntN(30) == 0 {
		delete(key, "sk")
	}
	return key
}

func (r random) item(table string) object {
	made := r.key(table)
	if table == "places" && r.IntN(4) > 0 {
		made["gpk"] = r.mostly(30, "S") // never empty: dynalite would accept an empty key of an index
	}
	if r.IntN(4) > 0 { // a sort key of its own for each item: DynamoDB may return items with equal ones in any order
		pk, _ := made["pk"].(object)
		sk, _ := made["sk"].(object)
		made["gsk"] = r.of(object{"S": fmt.Sprint("a", pk["S"], "/", sk["S"])}, object{"S": fmt.Sprint("RT:go:", pk["S"], "/", sk["S"])}, r.of(object{"N": "1"}, object{"M": object{}}))
	}
	if r.IntN(3) > 0 {
		made["x"] = r.mostly(4, "N")
	}
	return made
}

func (r random) expression(hash, sort string) string {
	first := hash + r.of(" = ", "=", " = ", " = ", " = ", " = ", " < ").(string) + ":p"
	second := r.of(sort+" = :s", sort+" < :s", sort+"<=:s", sort+" > :s", sort+" >= :s", sort+" between :s and :t", sort+" BETWEEN :s AND :t", "begins_with("+sort+", :s)",
		"begins_with ( "+sort+" , :s )", sort+" <> :s", sort+" in (:s)", "#n = :s", "contains("+sort+", :s)", "name = :s", sort+" = :undefined", sort, "", "(", hash+" = :s").(string)
	if r.IntN(4) > 0 {
		second = r.of(sort+" = :s", sort+" < :s", sort+"<=:s", sort+" > :s", sort+" >= :s", sort+" BETWEEN :s AND :t", "begins_with("+sort+", :s)").(string)
		return r.of(hash+" = :p", hash+" = :p AND "+second, second+" AND ("+hash+"=:p)").(string)
	}
	return r.of(first, first+" and "+second, first+" AND "+second, second+" And "+first, "("+first+") AND ("+second+")", "("+first+" AND "+second+")", first+" OR "+second,
		first+" AND "+second+" AND "+second, "", first+" "+second, "NOT "+first).(string)
}

func (r random) request() (operation string, request object) {
	table := r.of("places", "places", "owners").(string)
	switch operation = r.of("PutItem", "PutItem", "PutItem", "GetItem", "Query", "Query", "Query", "Query", "BatchWriteItem").(string); operation {
	case "PutItem":
		request = object{"TableName": table, "Item": r.item(table)}
	case "GetItem":
		request = object{"TableName": table, "Key": r.key(table)}
	case "BatchWriteItem":
		request = object{"RequestItems": object{table: []any{object{"PutRequest": object{"Item": r.item(table)}}, object{"PutRequest": object{"Item": r.item(table)}}}}}
	case "Query":
		request = object{"TableName": table}
		hash, sort := "pk", "sk"
		if table == "places" && r.IntN(2) == 0 {
			request["IndexName"] = r.of("geo-index", "geo-index", "geo-index", "geo-index", "other").(string)
			hash, sort = "gpk", "gsk"
		}
		expression := r.expression(hash, sort)
		request["KeyConditionExpression"] = expression
		values := object{}
		for _, name := range []string{":p", ":s", ":t"} {
			if strings.Contains(expression, name) || r.IntN(60) == 0 {
				values[name] = r.mostly(30, "S")
			}
		}
		if len(values) > 0 {
			request["ExpressionAttributeValues"] = values
		}
		if strings.Contains(expression, "#n") {
			request["ExpressionAttributeNames"] = object{"#n": sort}
		}
		if r.IntN(4) == 0 {
			request["ConsistentRead"] = r.of(true, false)
		}
	}
	return
}

// TestAgainstDynalite sends the same random requests to dynalite and to this package, and compares the contents of the
// answers and the types of the errors.
func TestAgainstDynalite(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		*requests = min(*requests, 300)
	}
	there := dynalite(t)
	server := httptest.NewServer(newServer(t))
	t.Cleanup(server.Close)
	r := random{rand.New(rand.NewPCG(1, uint64(*requests)))}
	seen := map[string]int{}
	for range *requests {
		operation, request := r.request()
		text, err := json.Marshal(request)
		must(t, err)
		want, got := send(t, there, operation, string(text)), send(t, server.URL, operation, string(text))
		seen[fmt.Sprintf("%s %d", operation, want.status)]++
		if w, g := comparableReply(want), comparableReply(got); !reflect.DeepEqual(w, g) {
			t.Fatalf("%s %s:\n dynalite: %v\n the lab:  %v", operation, text, want, got)
		}
	}
	for _, operation := range []string{"PutItem", "GetItem", "Query", "BatchWriteItem"} {
		for _, status := range []int{200, 400} {
			if key := fmt.Sprintf("%s %d", operation, status); seen[key] == 0 {
				t.Errorf("no request was a %s: %v", key, seen)
			}
		}
	}
	t.Log(seen)
}

// comparableReply keeps only the type of an error. A request may have two mistakes, and each server may report another
// one, so a SerializationException counts as a ValidationException.
func comparableReply(r reply) any {
	if r.status != 200 {
		kind, _ := r.body["__type"].(string)
		kind = strings.Replace(kind[strings.LastIndexByte(kind, '#')+1:], "Serialization", "Validation", 1)
		return fmt.Sprint(r.status, " ", kind)
	}
	return r.body
}
