package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func testdata(name string) string {
	return filepath.Join("..", "..", "bench", "record", "importer", "testdata", name)
}

func TestImportThenReport(t *testing.T) {
	status, records, stderr := twinstart(t, "import", "--format", "logs", "--arm", "f/zip", "--architecture", "arm64", testdata("tail.log"))
	if status != exitOK || strings.Count(records, "\n") != 9 || !strings.Contains(stderr, "tail.log:8: ") {
		t.Fatalf("status %d, %d records: %s", status, strings.Count(records, "\n"), stderr)
	}
	file := filepath.Join(t.TempDir(), "f.jsonl")
	if err := os.WriteFile(file, []byte(records), 0o644); err != nil {
		t.Fatal(err)
	}
	status, out, stderr := twinstart(t, "report", file)
	if status != exitOK || !strings.Contains(out, "measured on AWS") || !strings.Contains(out, "f/zip") {
		t.Errorf("status %d: %s%s", status, out, stderr)
	}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no arm":           {[]string{"--format", "logs", testdata("tail.log")}, "--arm"},
		"no file":          {[]string{"--format", "logs", "--arm", "a", "absent.log"}, "absent.log"},
		"other format":     {[]string{"--format", "init-stats", "--arm", "a/zip", testdata("tail.log")}, "tail.log:1: "},
		"no architecture":  {[]string{"--format", "logs", "--arm", "a", "--architecture", "vax", testdata("tail.log")}, "--architecture"},
		"unknown format":   {[]string{"--format", "xml", "--arm", "a", testdata("tail.log")}, "lambda-perf"},
		"nothing of these": {[]string{"--format", "lambda-perf", "--arm", "cobol/*", testdata("lambda-perf.json")}, "lambda-perf.json"},
	} {
		if status, _, stderr := twinstart(t, append([]string{"import"}, test.args...)...); status != exitUsage || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: status %d: %s", name, status, stderr)
		}
	}
}

func TestLogsOfAFunctionThatRunsAlready(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte("/aws/lambda/silent")) {
			fmt.Fprint(w, `{"events":[{"logStreamName":"s","timestamp":1795255200000,"message":"hello"}]}`)
			return
		}
		var events []string
		for i := range 30 {
			init := ""
			if i%3 == 0 {
				init = fmt.Sprintf(`\tInit Duration: %d.50 ms`, 20+i)
			}
			stream := "s"
			if bytes.Contains(body, []byte("Twinstart-shared-Logs")) {
				stream = fmt.Sprintf("2026/11/21/shop-%d[$LATEST]", i/15)
			}
			events = append(events, fmt.Sprintf(`{"logStreamName":"%s%d","timestamp":%d,"message":"REPORT RequestId: %d\tDuration: 2.%02d ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\tMax Memory Used: 17 MB%s\t\n"}`,
				stream, i/3, 1795255200000+i, i, i, init))
		}
		fmt.Fprintf(w, `{"events":[%s]}`, strings.Join(events, ","))
	}))
	defer service.Close()
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": service.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"} {
		t.Setenv(name, value)
	}
	status, out, stderr := twinstart(t, "logs", "--log-group", "/aws/lambda/orders", "--since", "24h", "--architecture", "arm64")
	if status != exitOK || !strings.Contains(out, "33.3 % of 30 invocations (10); cold: ") || !strings.Contains(out, "measured on AWS us-east-1") {
		t.Errorf("status %d: %s%s", status, out, stderr)
	}
	status, out, _ = twinstart(t, "logs", "--log-group", "/aws/lambda/orders", "--format", "records")
	if status != exitOK || strings.Count(out, "\n") != 30 {
		t.Errorf("status %d, %d records", status, strings.Count(out, "\n"))
	}
	status, out, stderr = twinstart(t, "logs", "--log-group", "Twinstart-shared-Logs", "--format", "csv") // two functions share this log group
	if status != exitOK || !strings.Contains(out, "\nshop-0,") || !strings.Contains(out, "\nshop-1,") {
		t.Errorf("status %d: %s%s", status, out, stderr)
	}
	status, _, stderr = twinstart(t, "logs", "--log-group", "/aws/lambda/silent")
	if status != exitUsage || strings.Count(strings.ReplaceAll(stderr, "warning: AWS_ENDPOINT_URL", ""), "twinstart: log group /aws/lambda/silent has no REPORT since") != 1 {
		t.Errorf("no REPORT lines: status %d: %s", status, stderr)
	}
	for _, args := range [][]string{{"--log-group", "x", "--since", "-1h"}, {"--log-group", "x", "--log-group", "y", "--arm", "z"}, {}} {
		if status, _, stderr := twinstart(t, append([]string{"logs"}, args...)...); status != exitUsage {
			t.Errorf("%v: status %d: %s", args, status, stderr)
		}
	}
}

func TestBaselineCostsAndPrices(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	_, records, _ := twinstart(t, "import", "--format", "logs", "--arm", "f/zip", "--architecture", "arm64", testdata("tail.log"))
	file := write("f.jsonl", records)
	baseline := write("published.json", `{"packaging-2025": {"setting": "Lambda, arm64", "arms": {"nethttp/zip": {"count": 60, "mean": 42.61, "p20": 40.41}}}}`)
	prices := write("prices.json", `{"as_of": "tomorrow", "regions": {"us-east-1": {"gb_second": {"arm64": 1}, "request": 0}}}`)
	status, out, stderr := twinstart(t, "report", "--full", "--baseline", baseline, "--prices", prices, "--cold-share", "50%", file)
	if status != exitOK {
		t.Fatal(stderr)
	}
	words := strings.Join(strings.Fields(out), " ") // a note may be wrapped anywhere
	for _, want := range []string{"Published figures of AWS, not measured here", "packaging-2025", "42.61", "us-east-1 list of tomorrow", "50 % cold"} {
		if !strings.Contains(words, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	for _, args := range [][]string{{"--baseline", file}, {"--prices", baseline}, {"--cold-share", "200%"}, {"--cold-share", "many"}} {
		if status, _, stderr := twinstart(t, append(append([]string{"report"}, args...), file)...); status != exitUsage || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: status %d: %s", args, status, stderr)
		}
	}
}
