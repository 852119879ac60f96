package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// reserving writes an assembly with one stack whose functions take 60 concurrent executions: one function reserves 50 and
// provisions 20 of them, another one provisions 10.
func reserving(t *testing.T) string {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"manifest.json": `{"version": "54.0.0", "artifacts": {"Shop": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Shop.template.json"}}}}`,
		"Shop.template.json": `{"Resources": {
			"A": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 512, "ReservedConcurrentExecutions": 50, "Code": {"S3Bucket": "b", "S3Key": "a.zip"}, "Runtime": "provided.al2023"}},
			"B": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 512, "Code": {"S3Bucket": "b", "S3Key": "a.zip"}, "Runtime": "provided.al2023"}},
			"LiveA": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "A"}, "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 20}}},
			"LiveB": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "B"}, "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 10}}}}}`,
		"Shop.assets.json": `{"files": {"a": {"source": {"path": "a.zip"}, "destinations": {"d": {"objectKey": "a.zip"}}}}}`,
		"a.zip":            "code",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// preview reports concurrency that the account does not have, before anything is created.
func TestPreviewOfConcurrency(t *testing.T) {
	assembly := reserving(t)
	for _, test := range []struct {
		settings string // the account's settings
		status   int
		want     string
	}{
		{`{"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 160}}`, exitOK, ""},
		{`{"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 159}}`, exitOK, "the account has 159 unreserved, of which 100 must stay unreserved"},
		{`{"AccountLimit": {"ConcurrentExecutions": 159, "UnreservedConcurrentExecutions": 159}}`, exitFinding, "reserve or provision 60; the account has 159, of which 100 must stay unreserved"},
		{`{"AccountLimit": {"ConcurrentExecutions": 10}}`, exitFinding, "reserve or provision 60; the account has 10"},
		{"", exitOK, "cannot be read: allow lambda:GetAccountSettings"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if test.settings == "" {
				w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
				w.WriteHeader(http.StatusForbidden)
			}
			fmt.Fprint(w, test.settings)
		}))
		for name, value := range map[string]string{"AWS_ENDPOINT_URL_LAMBDA": server.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"} {
			t.Setenv(name, value)
		}
		status, _, stderr := twinstart(t, "preview", "--assembly", assembly)
		if status != test.status || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != min(1, len(test.want)) {
			t.Errorf("%s: status %d, want %d: %s", test.settings, status, test.status, stderr)
		}
		server.Close()
	}
}

func TestPreviewLimit(t *testing.T) {
	assembly := reserving(t)
	t.Setenv("AWS_REGION", "") // AWS is not called
	template, err := os.ReadFile(filepath.Join(assembly, "Shop.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(assembly, "Shop.template.json"), `{"Metadata": {"twinstart": {"notMeasured": [{"arm": "csharp-wave/zip", "why": "no dotnet here"}]}},`+string(template[1:]))
	status, _, stderr := twinstart(t, "preview", "--assembly", assembly, "--limit", "1")
	if !strings.Contains(stderr, "warning: not measured: csharp-wave/zip: no dotnet here\n") {
		t.Errorf("what cannot be built: %s", stderr)
	}
	if status != exitFinding || !strings.Contains(stderr, "more than --limit 1.00") { // provisioned concurrency costs more than that
		t.Errorf("status %d: %s", status, stderr)
	}
	for limit, want := range map[string]int{"0": exitOK, "-1": exitUsage, "NaN": exitUsage, "100000": exitOK} {
		if status, _, stderr := twinstart(t, "preview", "--assembly", assembly, "--limit="+limit); status != want {
			t.Errorf("--limit=%s: status %d, want %d: %s", limit, status, want, stderr)
		}
	}
}
