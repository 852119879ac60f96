package dynamo

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
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

// ask sends a request, and returns the answer as text: status and all.
func ask(s *Server, operation, body string) string {
	status, answer := s.answer(operation, strings.NewReader(body))
	if r, is := answer.(map[string]any); is && r["Items"] != nil {
		answer = fmt.Sprintf("%s %s", r["Items"], r["LastEvaluatedKey"])
	}
	return fmt.Sprintf("%d %s", status, answer)
}

func TestRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	long := strings.Repeat("x", 500<<10)
	const query = `{"TableName":"places","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"a"}},`
	for name, test := range map[string]struct{ operation, body, want string }{
		"no operation":         {"", `{}`, `UnknownOperationException the lab's DynamoDB has no operation ""`},
		"another operation":    {"Scan", `{"TableName":"places"}`, `UnknownOperationException the lab's DynamoDB has no operation "Scan"`},
		"no JSON":              {"GetItem", `{"TableName"`, "SerializationException unexpected EOF"},
		"another type":         {"GetItem", `{"TableName":1}`, "SerializationException json: cannot unmarshal number"},
		"another table":        {"GetItem", `{"TableName":"elsewhere","Key":{"pk":{"S":"a"}}}`, "ResourceNotFoundException Requested resource not found: Table: elsewhere not found"},
		"no table":             {"PutItem", `{"Item":{}}`, "ResourceNotFoundException"},
		"another table, batch": {"BatchGetItem", `{"RequestItems":{"elsewhere":{"Keys":[{"pk":{"S":"a"}}]}}}`, "ResourceNotFoundException"},
		"a filter":             {"Query", query + `"FilterExpression":"x = :p"}`, `ValidationException the lab's DynamoDB does not honour "FilterExpression"`},
		"a condition":          {"PutItem", `{"TableName":"owners","Item":{"pk":{"S":"a"}},"ConditionExpression":"attribute_not_exists(pk)"}`, `does not honour "ConditionExpression"`},
		"a projection, batch":  {"BatchGetItem", `{"RequestItems":{"owners":{"Keys":[{"pk":{"S":"a"}}],"ProjectionExpression":"pk"}}}`, `does not honour "ProjectionExpression"`},
		"another index":        {"Query", query + `"IndexName":"other"}`, "The table does not have the specified index: other, or not with projection ALL"},
		"consistent index":     {"Query", query + `"IndexName":"geo-index","ConsistentRead":true}`, "Consistent reads are not supported on global secondary indexes"},
		"a reserved word":      {"Query", strings.Replace(query, "pk =", "name =", 1) + `"Limit":1}`, "Attribute name is a reserved keyword; reserved keyword: name"},
		"no value":             {"Query", strings.Replace(query, "= :p", "= :q", 1) + `"Limit":1}`, "not defined: :q"},
		"a value too many":     {"Query", strings.Replace(query, `{":p"`, `{":q":{"S":"a"},":p"`, 1) + `"Limit":1}`, "unused in expressions: keys: {:q}"},
		"a syntax":             {"Query", strings.Replace(query, "pk =", "pk ~", 1) + `"Limit":1}`, "Invalid KeyConditionExpression: Syntax error"},
		"a large item":         {"PutItem", `{"TableName":"owners","Item":{"pk":{"S":"a"},"x":{"S":"` + long + `"}}}`, "Item size has exceeded the maximum allowed size"},
		"a large key":          {"PutItem", `{"TableName":"owners","Item":{"pk":{"S":"` + long[:2049] + `"}}}`, "the key  pk is missing, empty, too long"},
		"a large sort key":     {"PutItem", `{"TableName":"places","Item":{"pk":{"S":"a"},"sk":{"S":"` + long[:1025] + `"}}}`, "the key  sk is missing, empty, too long"},
		"an empty key":         {"PutItem", `{"TableName":"owners","Item":{"pk":{"S":""}}}`, "the key  pk is missing, empty, too long or not of type S"},
		"a deep item":          {"PutItem", `{"TableName":"owners","Item":{"pk":{"S":"a"},"x":` + strings.Repeat(`{"L":[`, 40) + strings.Repeat(`]}`, 40) + `}}`, "or is nested too deeply"},
		"a very deep item":     {"PutItem", `{"TableName":"owners","Item":{"x":` + strings.Repeat(`{"L":[`, 1e6) + strings.Repeat(`]}`, 1e6) + `}}`, "SerializationException invalid character '{' exceeded max depth"},
		"a batch too large":    {"BatchWriteItem", `{"RequestItems":{"owners":[` + strings.Repeat(`{"DeleteRequest":{"Key":{"pk":{"S":"a"}}}},`, 1) + `{"DeleteRequest":{"Key":{"pk":{"S":"a"}}}}]}}`, "contains duplicates"},
		"no batch":             {"BatchWriteItem", `{"RequestItems":{}}`, "1 to 25"},
		"another return value": {"PutItem", `{"TableName":"owners","Item":{"pk":{"S":"a"}},"ReturnValues":"ALL_NEW"}`, "ReturnValues can only be ALL_OLD or NONE"},
	} {
		if got := ask(s, test.operation, test.body); !strings.HasPrefix(got, "400 ") || !strings.Contains(got, test.want) {
			t.Errorf("%s: %.300s, want %s", name, got, test.want)
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for i := range 9 {
		ask(s, "PutItem", fmt.Sprintf(`{"TableName":"arn:aws:dynamodb:us-east-1:000000000000:table/places","Item":{"pk":{"S":"a"},"sk":{"S":"%d"},"x":{"S":"%s"}}}`, i, strings.Repeat("x", 200<<10)))
	}
	const query = `{"TableName":"places","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"a"}}`
	first := ask(s, "Query", query+`}`)
	if n := strings.Count(first, `"sk"`); n != 5 || !strings.HasSuffix(first, "]") {
		t.Errorf("%d items in a page of 1 MB", n)
	}
	second := ask(s, "Query", query+`,"ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"S":"4"}}}`)
	if n := strings.Count(second, `"sk"`); n != 4 || !strings.HasSuffix(second, "%!s(<nil>)") {
		t.Errorf("%d items in the last page", n)
	}
	if s.size < 9*200<<10 {
		t.Errorf("%d bytes in all", s.size)
	}
	s.size += maxBytes
	if got := ask(s, "PutItem", `{"TableName":"owners","Item":{"pk":{"S":"a"}}}`); !strings.Contains(got, "the lab's tables hold 256 MB and are full: delete items, or start the lab anew") {
		t.Errorf("a full lab: %s", got)
	}
	for i := range 9 {
		ask(s, "DeleteItem", fmt.Sprintf(`{"TableName":"places","Key":{"pk":{"S":"a"},"sk":{"S":"%d"}}}`, i))
	}
	if s.size != maxBytes {
		t.Errorf("%d bytes are left of deleted items", s.size-maxBytes)
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	texts := []string{"0", "-0", "9.9e125", "-9.9e125", "1e-130", "-1e-130"}
	for range 300 {
		texts = append(texts, fmt.Sprintf("%d.%de%d", r.IntN(2000)-1000, r.IntN(100), r.IntN(20)-10))
	}
	exact := func(text string) *big.Rat {
		v, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatal(text)
		}
		return v
	}
	for _, a := range texts {
		plain, order := number(a)
		if exact(plain).Cmp(exact(a)) != 0 || strings.ContainsAny(plain, "eE") {
			t.Errorf("%s is written as %s", a, plain)
		}
		for _, b := range texts {
			if _, other := number(b); strings.Compare(order, other) != exact(a).Cmp(exact(b)) {
				t.Errorf("the order of %s and %s", a, b)
			}
		}
	}
}

func TestServiceTime(t *testing.T) {
	t.Parallel()
	service := newServiceTime(4 * time.Millisecond)
	var logs []float64
	for range 20000 {
		logs = append(logs, math.Log(float64(service.draw())/float64(service.median)))
	}
	slices.Sort(logs)
	if median, deviation := logs[10000], (logs[16827]-logs[3173])/2; math.Abs(median) > 0.01 || math.Abs(deviation-Sigma) > 0.01 {
		t.Errorf("median %v, deviation %v of logarithms", median, deviation)
	}
	if again := newServiceTime(4 * time.Millisecond); again.draw() != newServiceTime(4*time.Millisecond).draw() {
		t.Error("two labs draw other times")
	}
	began := time.Now()
	if wait(3 * time.Millisecond); time.Since(began) < 3*time.Millisecond {
		t.Error("it waits for less than it should")
	}
}

// TestManyClients reads and writes one partition at once: each reader sees rows in order.
func TestManyClients(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	client, url := secure(t, s)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for i := range 100 {
				operation, body := "PutItem", fmt.Sprintf(`{"TableName":"measures","Item":{"pk":{"S":"a"},"sk":{"N":"%d"}}}`, n*100+i)
				switch i % 3 {
				case 1:
					operation, body = "Query", `{"TableName":"measures","KeyConditionExpression":"pk = :p AND sk > :n","ExpressionAttributeValues":{":p":{"S":"a"},":n":{"N":"-1"}}}`
				case 2:
					operation, body = "DeleteItem", fmt.Sprintf(`{"TableName":"measures","Key":{"pk":{"S":"a"},"sk":{"N":"%d"}}}`, n*100+i-2)
				}
				r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
				r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
				answer, err := client.Do(r)
				if err != nil || answer.StatusCode != http.StatusOK {
					t.Error(err, answer)
					return
				}
				answer.Body.Close()
			}
		})
	}
	all.Wait()
	if rows := s.tables["measures"].indexes[0].rows["a"]; len(rows) != 8 || !slices.IsSortedFunc(rows, row.compare) {
		t.Errorf("%d rows are left, or out of order", len(rows))
	}
}

// TestJavaTrusts calls the server by Java, with the variables that a function gets.
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

// FuzzExpression looks for an expression that breaks the parser: it reads or refuses each.
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
			if key == "" || a.operator == "" || len(a.operands) == 0 || len(a.operands) > 2 {
				t.Fatalf("%q: %q %+v", expression, key, a)
			}
		}
	})
}
