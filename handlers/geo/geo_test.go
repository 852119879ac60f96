package geo_test

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/handlers/geo"
	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/language"
	"github.com/twinstart/twinstart/tools/need"
)

var (
	all    = flag.Bool("languages", false, "build the functions of every language that can be built here, and run the table")
	update = flag.Bool("update", false, "write the answers of Go into the table")
)

// row is a row of the table: an event, and the answer that every language gives.
type row struct {
	Functions []string
	Event     map[string]any // sent as JSON
	Status    int
	Body      string
}

func rows(t *testing.T) (rows []row) {
	t.Helper()
	text, err := os.ReadFile("testdata/table.json")
	must(t, err)
	must(t, json.Unmarshal(text, &rows))
	return rows
}

// TestLanguages sends every row of the table to the function in every language, in the lab, and compares the bytes of
// the answers. Afterwards it compares what is in the table of dynalite.
func TestLanguages(t *testing.T) {
	if !*all {
		t.Skip("make test-languages runs it")
	}
	table := rows(t)
	here := map[string]arm.Architecture{"amd64": arm.X8664, "arm64": arm.ARM64}[runtime.GOARCH]
	for _, l := range language.All() {
		t.Run(l.Name, func(t *testing.T) {
			var functions []assembly.Function
			for _, f := range geo.Functions() {
				dir, err := l.Build(t.Context(), language.Function{Project: ".", Name: f.Name, Bare: f.Actions == nil}, here)
				if unavailable := (*packages.UnavailableError)(nil); errors.As(err, &unavailable) {
					if strings.HasSuffix(l.Name, "sharp") {
						t.Skip(err) // the SDK of .NET is optional, in CI too
					}
					need.No(t, err)
				}
				must(t, err)
				functions = append(functions, assembly.Function{LogicalID: strings.ReplaceAll(f.Name, "-", ""), Package: dir, PackageType: assembly.Zip, Runtime: l.Runtime, Handler: l.Handler(f.Name),
					TimeoutSeconds: 60, MemorySizeMB: 1024, EphemeralStorageMB: 512, Architecture: here, LogGroup: "/aws/lambda/" + f.Name})
			}
			database := dynalite(t)
			address, err := url.Parse(database.url)
			must(t, err)
			log := &strings.Builder{}
			l, err := lab.New(lab.Options{Functions: functions, StateDir: t.TempDir(), ReadAheadKiB: lab.DefaultReadAheadKiB, Allow: []lab.Door{{Name: "dynamodb", URL: address}}, Log: log})
			must(t, err)
			t.Cleanup(func() { l.Close() })
			for _, n := range l.NotMeasured() {
				need.Missing(t, n.Arm+": "+n.Why)
			}
			for i := range table {
				for _, f := range table[i].Functions {
					answer(t, l, f, i, &table[i], *update && t.Name() == "TestLanguages/go")
				}
			}
			if t.Failed() {
				t.Log(log)
			}
			compare(t, database.scan(t), wantItems(t, table))
		})
	}
	if *update {
		text, err := json.MarshalIndent(table, "", " ")
		must(t, err)
		must(t, os.WriteFile("testdata/table.json", append(text, '\n'), 0o644))
	}
}

// answer sends a row to a function. The envelope of the answer is the runtime's, whose blanks differ; the body is the
// function's.
func answer(t *testing.T, l *lab.Lab, function string, i int, r *row, learn bool) {
	t.Helper()
	event, err := json.Marshal(r.Event)
	must(t, err)
	got, err := l.Invoke(strings.ReplaceAll(function, "-", ""), api.Invocation{RequestID: fmt.Sprintf("id-%d", i), Payload: event})
	must(t, err)
	var a struct {
		StatusCode int
		Body       string
	}
	if err := json.Unmarshal(got.Payload, &a); err != nil || got.FunctionError != "" {
		t.Errorf("%s, row %d: answered %s, %s %v", function, i, got.Payload, got.FunctionError, err)
		return
	}
	if learn {
		r.Status, r.Body = a.StatusCode, a.Body
	}
	if a.StatusCode != r.Status || a.Body != r.Body {
		t.Errorf("%s, row %d: answered %d %s, want %d %s", function, i, a.StatusCode, a.Body, r.Status, r.Body)
	}
}

// wantItems is what the table holds in the end: what it held at first, and what rows save.
func wantItems(t *testing.T, table []row) (items []string) {
	t.Helper()
	seed, err := csv.NewReader(strings.NewReader(string(geo.CSV()))).ReadAll()
	must(t, err)
	for _, record := range seed[1:] {
		items = append(items, item(seed[0], record))
	}
	for i, r := range table {
		var saved struct{ PK, SK, GPK string }
		if !slices.Contains(r.Functions, "save") || r.Status != 200 || json.Unmarshal([]byte(r.Body), &saved) != nil {
			continue
		}
		var body map[string]string
		must(t, json.Unmarshal([]byte(r.Event["body"].(string)), &body))
		pk, sk := "RT:"+body["owner"], fmt.Sprintf("%s#id-%d", body["name"], i)
		if saved.PK != pk || saved.SK != sk {
			t.Errorf("row %d: saved as %s, %s; want %s, %s", i, saved.PK, saved.SK, pk, sk)
		}
		items = append(items, item(seed[0], []string{pk, sk, saved.GPK, pk + ":" + sk, body["owner"], body["name"], body["lat"], body["lon"]}))
	}
	return items
}

// item is an item's JSON.
func item(names, values []string) string {
	of := map[string]map[string]string{}
	for i, name := range names {
		of[name] = map[string]string{"S": values[i]}
	}
	text, _ := json.Marshal(of)
	return string(text)
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the table holds %d items, want %d", len(got), len(want))
		for _, g := range got {
			if !slices.Contains(want, g) {
				t.Logf("not wanted: %s", g)
			}
		}
	}
}

// database is DynamoDB with the table geo.
type database struct{ url string }

// dynalite starts a database that holds the first items.
func dynalite(t *testing.T) database {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), need.Tool(t, "node"), "-e", `const s = require('dynalite')({createTableMs: 0}); s.listen(0, '127.0.0.1', () => console.log(s.address().port))`)
	cmd.Dir = "../.."
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	port, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	d := database{"http://127.0.0.1:" + strings.TrimSpace(port)}
	schema, err := os.ReadFile("testdata/schema.json")
	must(t, err)
	d.send(t, "CreateTable", string(schema))
	for !strings.Contains(d.send(t, "DescribeTable", `{"TableName":"geo"}`), `"TableStatus":"ACTIVE"`) {
	}
	seed, err := csv.NewReader(strings.NewReader(string(geo.CSV()))).ReadAll()
	must(t, err)
	for batch := range slices.Chunk(seed[1:], 25) {
		var puts []string
		for _, record := range batch {
			puts = append(puts, `{"PutRequest":{"Item":`+item(seed[0], record)+`}}`)
		}
		d.send(t, "BatchWriteItem", `{"RequestItems":{"geo":[`+strings.Join(puts, ",")+`]}}`)
	}
	return d
}

// send returns the answer to a request.
func (d database) send(t *testing.T, operation, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url, strings.NewReader(body))
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
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", operation, text)
	}
	return string(text)
}

// scan returns all items, as JSON.
func (d database) scan(t *testing.T) (items []string) {
	t.Helper()
	var page struct {
		Items []map[string]map[string]string
	}
	must(t, json.Unmarshal([]byte(d.send(t, "Scan", `{"TableName":"geo"}`)), &page))
	for _, of := range page.Items {
		text, err := json.Marshal(of)
		must(t, err)
		items = append(items, string(text))
	}
	return items
}

// The first items have different keys, fit into one page of a scan, and lie round the published point, whose geohash is
// known.
func TestItems(t *testing.T) {
	items, err := csv.NewReader(strings.NewReader(string(geo.CSV()))).ReadAll()
	must(t, err)
	if len(items) != geo.Items+1 {
		t.Fatalf("%d lines", len(items))
	}
	keys, cells := map[string]bool{}, map[string]int{}
	for _, item := range items[1:] {
		keys[item[1]] = true
		cells[item[2]]++
	}
	if len(keys) != geo.Items || items[1][2] != "r652" || len(cells) < 9 || cells["r652"] < 100 {
		t.Errorf("%d sort keys; first item in %s; items by cell: %v", len(keys), items[1][2], cells)
	}
}

// The event that is measured is a row of the table.
func TestEventsAreRows(t *testing.T) {
	for _, f := range geo.Functions() {
		var event map[string]any
		must(t, json.Unmarshal([]byte(f.Event), &event))
		if !slices.ContainsFunc(rows(t), func(r row) bool { return slices.Contains(r.Functions, f.Name) && r.Event["body"] == event["body"] }) {
			t.Errorf("%s: no row has the event %s", f.Name, f.Event)
		}
	}
}

// Each language has each function.
func TestEntries(t *testing.T) {
	for _, f := range geo.Functions() {
		for _, form := range []string{"node/%s.mjs", "python/%s.py", "go/%s/main.go", "rust/src/bin/%s.rs", "bash/%s.sh"} {
			if _, err := os.Stat(filepath.FromSlash(fmt.Sprintf(form, f.Name))); err != nil {
				t.Error(err)
			}
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
