package dynamo

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinstart/twinstart/tools/need"
)

// ask calls the server without HTTP, and returns the status and the answer as text.
func ask(s *Server, operation, body string) string {
	status, answer := s.answer(operation, strings.NewReader(body))
	if r, is := answer.(map[string]any); is && r["Items"] != nil {
		answer = fmt.Sprintf("%s", r["Items"])
	}
	return fmt.Sprintf("%d %s", status, answer)
}

func TestRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	long := strings.Repeat("x", 500<<10)
	const query = `{"TableName":"places","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"a"}},`
	for name, test := range map[string]struct{ operation, body, want string }{
		"no operation":         {"", `{}`, `UnknownOperationException the lab's DynamoDB has no operation "": name another DynamoDB with --allow dynamodb=URL`},
		"another operation":    {"Scan", `{"TableName":"places"}`, `UnknownOperationException the lab's DynamoDB has no operation "Scan"`},
		"not JSON":             {"GetItem", `{"TableName"`, "SerializationException unexpected EOF"},
		"another type":         {"GetItem", `{"TableName":1}`, "SerializationException json: cannot unmarshal number"},
		"another table":        {"GetItem", `{"TableName":"elsewhere","Key":{"pk":{"S":"a"}}}`, "ResourceNotFoundException Requested resource not found: Table: elsewhere not found"},
		"no table":             {"PutItem", `{"Item":{}}`, "ResourceNotFoundException"},
		"a delete, batch":      {"BatchWriteItem", `{"RequestItems":{"owners":[{"DeleteRequest":{"Key":{"pk":{"S":"a"}}}}]}}`, `does not support "DeleteRequest"`},
		"another table, batch": {"BatchWriteItem", `{"RequestItems":{"elsewhere":[{"PutRequest":{"Item":{"pk":{"S":"a"}}}}]}}`, "ResourceNotFoundException"},
		"a page of a query":    {"Query", query + `"Limit":1}`, `ValidationException the lab's DynamoDB does not support "Limit": name another DynamoDB with --allow dynamodb=URL`},
		"a filter":             {"Query", query + `"FilterExpression":"x = :p"}`, `ValidationException the lab's DynamoDB does not support "FilterExpression"`},
		"a condition":          {"PutItem", `{"TableName":"owners","Item":{"pk":{"S":"a"}},"ConditionExpression":"attribute_not_exists(pk)"}`, `does not support "ConditionExpression"`},
		"no such index":        {"Query", query + `"IndexName":"other"}`, "The table does not have the specified index: other, or not with projection ALL"},
		"consistent, index":    {"Query", query + `"IndexName":"geo-index","ConsistentRead":true}`, "Consistent reads are not supported on global secondary indexes"},
		"a reserved word":      {"Query", strings.Replace(query, "pk =", "name =", 1) + `"ConsistentRead":true}`, "Attribute name is a reserved keyword; reserved keyword: name"},
		"no value":             {"Query", strings.Replace(query, "= :p", "= :q", 1) + `"ConsistentRead":true}`, "not defined: :q"},
		"a value too many":     {"Query", strings.Replace(query, `{":p"`, `{":q":{"S":"a"},":p"`, 1) + `"ConsistentRead":true}`, "unused in expressions: keys: {:q}"},
		"a syntax error":       {"Query", strings.Replace(query, "pk =", "pk ~", 1) + `"ConsistentRead":true}`, "Invalid KeyConditionExpression: Syntax error"},
		"a large item":         {"PutItem", `{"TableName":"owners","Item":{"pk":{"S":"a"},"x":{"S":"` + long + `"}}}`, "Item size has exceeded the maximum allowed size"},
		"a large key":          {"PutItem", `{"TableName":"owners","Item":{"pk":{"S":"` + long[:2049] + `"}}}`, "the table's key pk is missing, empty, too long"},
		"a large sort key":     {"PutItem", `{"TableName":"places","Item":{"pk":{"S":"a"},"sk":{"S":"` + long[:1025] + `"}}}`, "the table's key sk is missing, empty, too long"},
		"an empty key":         {"PutItem", `{"TableName":"owners","Item":{"pk":{"S":""}}}`, "the table's key pk is missing, empty, too long or not of type S"},
		"a deep item":          {"PutItem", `{"TableName":"owners","Item":{"pk":{"S":"a"},"x":` + strings.Repeat(`{"L":[`, 40) + strings.Repeat(`]}`, 40) + `}}`, "or is nested too deeply"},
		"a very deep item":     {"PutItem", `{"TableName":"owners","Item":{"x":` + strings.Repeat(`{"L":[`, 1e6) + strings.Repeat(`]}`, 1e6) + `}}`, "SerializationException invalid character '{' exceeded max depth"},
		"a key twice":          {"BatchWriteItem", `{"RequestItems":{"owners":[{"PutRequest":{"Item":{"pk":{"S":"a"}}}},{"PutRequest":{"Item":{"pk":{"S":"a"}}}}]}}`, "contains duplicates"},
		"an empty batch":       {"BatchWriteItem", `{"RequestItems":{}}`, "1 to 25"},
	} {
		if got := ask(s, test.operation, test.body); !strings.HasPrefix(got, "400 ") || !strings.Contains(got, test.want) {
			t.Errorf("%s: %.300s, want %s", name, got, test.want)
		}
	}
}

// A query returns at most 1 MB, and all tables together hold a limited number of bytes.
func TestLarge(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	put := func(n int) string {
		return ask(s, "PutItem", fmt.Sprintf(`{"TableName":"arn:aws:dynamodb:us-east-1:000000000000:table/places","Item":{"pk":{"S":"a"},"sk":{"S":"%d"},"gpk":{"S":"g"},"gsk":{"S":"%d"},"x":{"S":"%s"}}}`, n, n, strings.Repeat("x", 200<<10)))
	}
	const query = `{"TableName":"places","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"a"}}}`
	for i := range 5 {
		put(i)
	}
	if got := ask(s, "Query", query); !strings.HasPrefix(got, "200 ") || strings.Count(got, `"sk"`) != 5 {
		t.Errorf("a query with 1000 KB: %.100s", got)
	}
	size := s.size
	if put(4); s.size != size || size < 5*200<<10 {
		t.Errorf("the tables have %d bytes, and %d after the same item was put again", size, s.size)
	}
	put(5)
	if got := ask(s, "Query", query); !strings.Contains(got, "cannot answer a query with more than 1 MB") {
		t.Errorf("a query with 1200 KB: %.100s", got)
	}
	s.size += maxBytes
	if got := put(6); !strings.Contains(got, "the lab's tables hold 256 MB and are full: start the lab again") {
		t.Errorf("with full tables: %s", got)
	}
}

func TestServiceTime(t *testing.T) {
	t.Parallel()
	s, err := New(nil, 4*time.Millisecond)
	must(t, err)
	var logs []float64
	for range 20000 {
		logs = append(logs, math.Log(float64(s.draw())/float64(s.median)))
	}
	first := logs[0]
	slices.Sort(logs)
	if median, deviation := logs[10000], (logs[16827]-logs[3173])/2; math.Abs(median) > 0.01 || math.Abs(deviation-Sigma) > 0.01 {
		t.Errorf("the logarithms of the times have median %v and deviation %v, want 0 and %v", median, deviation, Sigma)
	}
	again, err := New(nil, 4*time.Millisecond)
	must(t, err)
	if math.Log(float64(again.draw())/float64(again.median)) != first {
		t.Error("two labs draw different times")
	}
	began := time.Now()
	if wait(3 * time.Millisecond); time.Since(began) < 3*time.Millisecond {
		t.Error("a wait of 3 ms was shorter")
	}
}

// Eight clients read and write one partition at the same time. Each answer must have its rows in order.
func TestManyClients(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, url := secure(t, s)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for i := range 100 {
				operation, body := "PutItem", fmt.Sprintf(`{"TableName":"places","Item":{"pk":{"S":"a"},"sk":{"S":"%03d"}}}`, n*100+i/4)
				if i%2 == 1 {
					operation, body = "Query", `{"TableName":"places","KeyConditionExpression":"pk = :p AND sk > :n","ExpressionAttributeValues":{":p":{"S":"a"},":n":{"S":" "}}}`
				}
				r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
				r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
				answer, err := client.Do(r)
				if err != nil || answer.StatusCode != http.StatusOK {
					t.Error(err, answer)
					return
				}
				var found struct {
					Items []struct{ SK struct{ S string } }
				}
				if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
					t.Error(err)
				}
				answer.Body.Close()
				var rows []string
				for _, item := range found.Items {
					rows = append(rows, item.SK.S)
				}
				if operation == "Query" && len(rows) == 0 || !slices.IsSorted(rows) {
					t.Errorf("a query returned the rows %q", rows)
				}
			}
		})
	}
	all.Wait()
	if rows := s.tables["places"].indexes[0].rows["a"]; len(rows) != 200 || !slices.IsSortedFunc(rows, row.compare) {
		t.Errorf("at the end there are %d rows, want 200 in order", len(rows))
	}
}

// With the environment variables that a function gets, Java must trust the server's certificate.
func TestJavaTrusts(t *testing.T) {
	t.Parallel()
	java := need.Tool(t, "java")
	trust, err := NewTrust()
	must(t, err)
	_, url := secureBy(t, newServer(t), trust)
	dir := t.TempDir()
	for name, content := range trust.Files {
		must(t, os.WriteFile(filepath.Join(dir, name), content, 0o644))
	}
	cmd := exec.CommandContext(t.Context(), java, "../testdata/Tables.java")
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL_DYNAMODB="+url)
	for name, v := range trust.Variables(dir) {
		cmd.Env = append(cmd.Env, name+"="+v)
	}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.HasSuffix(string(out), "ok\n") {
		t.Errorf("%v: %s", err, out)
	}
}

// FuzzExpression looks for an expression on which the parser panics, or which it reads into something invalid.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{"pk = :a", "#p = :a AND begins_with(sk, :b)", "(pk=:a) and (sk between :a and :b)", "pk = :a AND sk >= :b", "((pk = :a", "a.b = :a", "pk = :a OR sk = :b", "\x00", "AND", "pk in (:a)"} {
		f.Add(text)
	}
	text := "x"
	values := item{":a": item{"S": text}, ":b": item{"S": text}}
	f.Fuzz(func(t *testing.T, expression string) {
		defer func() {
			if p := recover(); p != nil {
				if _, is := p.(failure); !is {
					t.Fatalf("%q: %v", expression, p)
				}
			}
		}()
		for key, a := range parse(expression, map[string]string{"#p": "pk"}, values) {
			if key == "" || a.Operator == "" || len(a.Operands) == 0 || len(a.Operands) > 2 {
				t.Fatalf("%q: %q %+v", expression, key, a)
			}
		}
	})
}
