package lab_test

import (
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/lab"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/tools/need"
)

// places is the table that testdata/tables* use.
var places = assembly.Table{
	TableName: "places",
	AttributeDefinitions: []assembly.Attribute{{AttributeName: "pk", AttributeType: "S"}, {AttributeName: "sk", AttributeType: "S"}, {AttributeName: "gpk", AttributeType: "S"},
		{AttributeName: "gsk", AttributeType: "S"}},
	KeySchema: []assembly.Key{{AttributeName: "pk", KeyType: "HASH"}, {AttributeName: "sk", KeyType: "RANGE"}},
	GlobalSecondaryIndexes: []assembly.Index{{IndexName: "geo-index", Projection: assembly.Projection{ProjectionType: "ALL"},
		KeySchema: []assembly.Key{{AttributeName: "gpk", KeyType: "HASH"}, {AttributeName: "gsk", KeyType: "RANGE"}}}},
}

// clients returns the files of a function that has three SDKs, and the command that calls the tables with each SDK.
func clients(t *testing.T) (files, commands map[string]string) {
	t.Helper()
	ours, err := os.Executable()
	must(t, err)
	files = map[string]string{"bootstrap": builtBootstrap(t), "tables": ours}
	commands = map[string]string{"Go": tablesVariable + "=1 ./tables"}
	add := func(from, to string, leave func(string) bool) {
		must(t, filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
			below, _ := filepath.Rel(from, path)
			if err == nil && entry.IsDir() && leave(below) {
				return filepath.SkipDir
			}
			if err == nil && entry.Type().IsRegular() {
				files[filepath.Join(to, below)] = path
			}
			return err
		}))
	}
	if python := python(t); need.Tool(t, "python3") != "" {
		out, err := exec.CommandContext(t.Context(), python, "-c", "import boto3, os; print(os.path.dirname(os.path.dirname(boto3.__file__)))").Output()
		must(t, err)
		for _, name := range strings.Fields("boto3 botocore s3transfer jmespath dateutil urllib3") {
			add(filepath.Join(strings.TrimSpace(string(out)), name), name, func(below string) bool {
				of, service, _ := strings.Cut(below, "/")
				return of == "data" && service != "" && !strings.HasPrefix(service, "dynamodb") || strings.HasSuffix(below, "__pycache__")
			})
		}
		files["six.py"], files["tables.py"] = filepath.Join(strings.TrimSpace(string(out)), "six.py"), "testdata/tables.py"
		commands["boto3"] = "python3 tables.py"
	}
	for _, name := range strings.Fields("@aws-sdk @aws @smithy tslib bowser mnemonist obliterator") {
		add(filepath.Join("../node_modules", name), "node_modules/"+name, func(below string) bool { return strings.HasSuffix(below, "dist-types") || below == "client-lambda" })
	}
	files["tables.mjs"] = "testdata/tables.mjs"
	commands["JavaScript"] = "node tables.mjs"
	return files, commands
}

// TestTables calls the assembly's tables with real SDKs, from inside a function.
func TestTables(t *testing.T) {
	t.Parallel()
	files, commands := clients(t)
	l := openLab(t, lab.Options{Tables: []assembly.Table{places}, TableLatency: time.Millisecond}, spec{id: "F", files: files, props: map[string]any{"MemorySize": 1769, "Timeout": 60}})
	if warnings := strings.Join(l.Warnings(), "\n"); !strings.Contains(warnings, "serves places; a table is empty at first, or has the items of its import; answers take 1ms (median; lognormal, sigma 0.25), rights are not checked") {
		t.Errorf("warnings: %s", warnings)
	}
	c := client(t, l)
	for name, command := range commands {
		if got := shell(t, c, command); !strings.HasSuffix(got, `ok\n\u003cnil\u003e"`) { // and no error
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := shell(t, c, `curl -sS "$AWS_ENDPOINT_URL_DYNAMODB" -H 'X-Amz-Target: DynamoDB_20120810.GetItem' -d '{"TableName":"places","Key":{"pk":{"S":"a"},"sk":{"S":"b"}}}'`); !strings.Contains(got, `{}`) {
		t.Errorf("curl: %s", got)
	}
}

// The lab serves no tables if another endpoint is allowed or the network is the host's. It does not serve a table that it
// could not read. If a function sets the same variables as the lab, its values stay.
func TestTablesElsewhere(t *testing.T) {
	t.Parallel()
	to, err := url.Parse("http://127.0.0.1:1")
	must(t, err)
	own := lab.Options{Tables: []assembly.Table{places}, Allow: []lab.Door{{Name: "dynamodb", URL: to}}}
	if got := shell(t, client(t, openLab(t, own, function(t, "F", nil))), `curl -sS "$AWS_ENDPOINT_URL_DYNAMODB" -d '{}'; echo "$AWS_CA_BUNDLE"`); !strings.Contains(got, "connection refused") || strings.Contains(got, "lab-ca") {
		t.Errorf("with another endpoint, which refuses: %s", got)
	}
	l := openLab(t, lab.Options{Tables: []assembly.Table{places}, HostNetwork: true}, function(t, "F", nil))
	if got := shell(t, client(t, l), `echo "[$AWS_ENDPOINT_URL_DYNAMODB]"`); !strings.Contains(got, "[]") || !strings.Contains(strings.Join(l.Warnings(), "\n"), "serves no tables, because the network is this machine's") {
		t.Errorf("with the host's network: %s, %s", got, l.Warnings())
	}
	settings := lab.Options{Tables: []assembly.Table{places, {TableName: "odd", Unread: os.ErrInvalid}}}
	l = openLab(t, settings, function(t, "F", environment("AWS_CA_BUNDLE", "/mine", "JAVA_TOOL_OPTIONS", "-Xint")))
	if got := shell(t, client(t, l), `echo "$AWS_CA_BUNDLE $JAVA_TOOL_OPTIONS"`); !strings.Contains(got, "/mine -Djavax.net.ssl.trustStoreType=jks -Djavax.net.ssl.trustStore=/dev/lab-ca.jks -Xint") {
		t.Errorf("a function's own variables: %s", got)
	}
	if warnings := strings.Join(l.Warnings(), "\n"); !strings.Contains(warnings, "the lab does not serve table odd: invalid argument") {
		t.Errorf("warnings: %s", warnings)
	}
}
