package cloudlogs

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/account"
	"github.com/twinstart/twinstart/bench/record/importer"
)

// service answers FilterLogEvents over HTTP as CloudWatch Logs does, in AWS JSON 1.1, on two pages.
func service(t *testing.T, requests *[]map[string]any) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var in map[string]any
		if err != nil || json.Unmarshal(body, &in) != nil || r.Header.Get("X-Amz-Target") != "Logs_20140328.FilterLogEvents" {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		*requests = append(*requests, in)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if in["logGroupName"] != "/aws/lambda/f" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"ResourceNotFoundException","message":"The specified log group does not exist."}`)
			return
		}
		if in["startTime"] == 7.0 && in["filterPattern"] != nil { // an emulator that does not know the pattern
			fmt.Fprint(w, `{"events":[]}`)
			return
		}
		if in["nextToken"] == nil {
			fmt.Fprint(w, `{"events":[
{"logStreamName":"2026/11/21/[$LATEST]aa","timestamp":1795255200000,"message":"REPORT RequestId: 1\tDuration: 2.00 ms\tBilled Duration: 12 ms\tMemory Size: 128 MB\tMax Memory Used: 17 MB\tInit Duration: 9.50 ms\t\n"},
{"logStreamName":"2026/11/21/[$LATEST]aa","timestamp":1795255201000,"message":"the function said platform.report too"}],"nextToken":"more"}`)
			return
		}
		fmt.Fprint(w, `{"events":[{"logStreamName":"2026/11/21/[$LATEST]aa","timestamp":1795255202000,"message":"REPORT RequestId: 2\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 17 MB\t\n"}],"nextToken":"more"}`)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestEventsOfAllPagesBecomeRecords(t *testing.T) {
	var requests []map[string]any
	s := service(t, &requests)
	t.Setenv("AWS_ENDPOINT_URL", s.URL)
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	cfg, err := account.InRegion(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	since := time.UnixMilli(1795255100000)
	options := importer.Options{Identity: arm.Identity{Arm: "f"}}
	for r, err := range importer.Records(Events(t.Context(), cfg, "/aws/lambda/f", since), "/aws/lambda/f", options) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(r.Start, " ", *r.DurationMs, " ", r.StartedAt.Format(time.RFC3339), " ", r.LogStream))
	}
	want := "cold 2 2026-11-21T10:00:00Z 2026/11/21/[$LATEST]aa; warm 1 2026-11-21T10:00:02Z 2026/11/21/[$LATEST]aa"
	if strings.Join(got, "; ") != want {
		t.Errorf("%q\nwant %q", got, want)
	}
	if len(requests) != 2 || requests[0]["startTime"] != 1795255100000.0 {
		t.Errorf("want 2 requests for events since the given time: %v", requests)
	}
	pattern := fmt.Sprint(requests[0]["filterPattern"])
	for _, line := range []string{"REPORT RequestId: 1", "INIT_REPORT Init Duration", "INIT_START Runtime", "START RequestId: 1", "RESTORE_REPORT Restore", `"platform.report"`,
		`"platform.initReport"`, `"platform.initStart"`, `"platform.start"`} {
		if !matches(pattern, line) || len(pattern) > 1024 {
			t.Errorf("the pattern %s does not match %q, or is over 1,024 characters", pattern, line)
		}
	}
	n := 0
	for _, err := range Events(t.Context(), cfg, "/aws/lambda/f", time.UnixMilli(7)) {
		if err != nil {
			t.Error(err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d events of a service that does not know the pattern, want 3", n)
	}
	n = 0
	for _, err := range Events(t.Context(), cfg, "/aws/lambda/absent", since) {
		n++
		if err == nil || !strings.Contains(err.Error(), "ResourceNotFoundException") || !strings.Contains(err.Error(), "/aws/lambda/NAME") {
			t.Errorf("a log group that does not exist: %v", err)
		}
	}
	if n != 1 {
		t.Errorf("a log group that does not exist: %d errors, want 1", n)
	}
}

// matches reads a pattern as CloudWatch does: ?"term" ?"term" matches a line that has any of the terms as a word.
func matches(pattern, line string) bool {
	for term := range strings.SplitSeq(pattern, "?") {
		term = strings.Trim(term, ` "`)
		if i := strings.Index(line, term); term != "" && i >= 0 && (i == 0 || strings.ContainsRune(" \"{", rune(line[i-1]))) {
			return true
		}
	}
	return false
}
