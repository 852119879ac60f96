package importer

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

const stream = "2026/11/20/[$LATEST]0a0a"

// messages are one environment's log: a cold start, a warm call, a time-out, a start whose INIT is in its Duration.
var messages = []string{
	"INIT_START Runtime Version: provided:al2023.v90\tRuntime Version ARN: arn:x\n",
	"START RequestId: 1-a Version: $LATEST\n", "hello, \"world\"\n", "END RequestId: 1-a\n",
	"REPORT RequestId: 1-a\tDuration: 4.10 ms\tBilled Duration: 25 ms\tMemory Size: 256 MB\tMax Memory Used: 31 MB\tInit Duration: 20.71 ms\t\n",
	"START RequestId: 1-b Version: $LATEST\n", "END RequestId: 1-b\n",
	"REPORT RequestId: 1-b\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 256 MB\tMax Memory Used: 31 MB\t\n",
	"START RequestId: 1-c Version: $LATEST\n", "END RequestId: 1-c\n",
	"REPORT RequestId: 1-c\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 256 MB\tMax Memory Used: 31 MB\tStatus: timeout\n",
	"INIT_START Runtime Version: provided:al2023.v90\tRuntime Version ARN: arn:x\n",
	"START RequestId: 1-d Version: $LATEST\n", "END RequestId: 1-d\n",
	"REPORT RequestId: 1-d\tDuration: 120.00 ms\tBilled Duration: 120 ms\tMemory Size: 256 MB\tMax Memory Used: 31 MB\t\n",
}

// inShort are the records of these messages, in short.
var inShort = []string{"1-a cold 4.1 ", "1-b warm 1.5 ", "1-c warm 3000 function error", "1-d warm 120 INIT inside Duration"}

func packed(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

// containers returns the messages in each form in which CloudWatch and its tools return them.
func containers() map[string][]byte {
	at := func(i int) time.Time { return time.UnixMilli(1795168800000 + int64(i)*100).UTC() }
	lines := func(format func(i int, message string) string) []byte {
		var b strings.Builder
		for i, m := range messages {
			b.WriteString(format(i, m))
		}
		return []byte(b.String())
	}
	object := func(v any, indent string) []byte {
		data, err := json.MarshalIndent(v, "", indent)
		if indent == "" {
			data, err = json.Marshal(v)
		}
		if err != nil {
			panic(err)
		}
		return data
	}
	var filtered, got, subscribed, rows []any
	for i, m := range messages {
		ms := at(i).UnixMilli()
		filtered = append(filtered, map[string]any{"logStreamName": stream, "timestamp": ms, "message": m, "ingestionTime": ms, "eventId": fmt.Sprint(i)})
		got = append(got, map[string]any{"timestamp": ms, "message": m, "ingestionTime": ms})
		subscribed = append(subscribed, map[string]any{"id": fmt.Sprint(i), "timestamp": ms, "message": m})
		cell := func(f, v string) any { return map[string]string{"field": f, "value": v} }
		rows = append([]any{[]any{cell("@timestamp", at(i).Format("2006-01-02 15:04:05.000")), cell("@logStream", stream), cell("@message", m)}}, rows...)
	}
	tail := lines(func(i int, m string) string {
		return at(i).Format("2006-01-02T15:04:05.000000-07:00") + " " + stream + " " + m
	})
	document := object(map[string]any{"messageType": "DATA_MESSAGE", "logGroup": "/aws/lambda/f", "logStream": stream, "logEvents": subscribed}, "")
	first := []byte(strings.Replace(string(document), `"logEvents"`, `"logEvents" `, 1)) // JSON sorts the keys, so logEvents comes before logStream
	quoted := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
	insights := "@timestamp,@logStream,@message\n"
	for i := len(messages) - 1; i >= 0; i-- {
		insights += at(i).Format("2006-01-02 15:04:05.000") + "," + stream + "," + quoted(messages[i]) + "\n"
	}
	b64 := base64.StdEncoding.EncodeToString(packed(document))
	return map[string][]byte{
		"aws logs tail":         tail,
		"aws logs tail, CRLF":   bytes.ReplaceAll(tail, []byte("\n"), []byte("\r\n")),
		"aws logs tail, packed": packed(tail),
		"packed twice":          packed(packed(tail)),
		"two packed files":      append(packed(tail[:900]), packed(tail[900:])...),
		"sam logs": lines(func(i int, m string) string {
			return stream + " " + at(i).Format("2006-01-02T15:04:05.000000") + " " + m
		}),
		"export to S3":               packed(lines(func(i int, m string) string { return at(i).Format("2006-01-02T15:04:05.000Z") + " " + m })),
		"filter-log-events":          object(map[string]any{"events": filtered, "searchedLogStreams": []any{}}, "    "),
		"filter-log-events, compact": object(map[string]any{"events": filtered}, ""),
		"events, one a line":         bytes.Join([][]byte{object(filtered[0], ""), object(filtered[1], ""), object(filtered[4], ""), object(filtered[7], ""), object(filtered[10], ""), object(filtered[11], ""), object(filtered[14], "")}, []byte("\n")),
		"subscription":               document,
		"subscription, packed":       packed(document),
		"subscription, other order":  first,
		"Firehose":                   append(packed([]byte(`{"messageType":"CONTROL_MESSAGE","logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE"}]}`)), packed(document)...),
		"Lambda":                     []byte(`{"awslogs": {"data": "` + b64 + `"}}`),
		"Kinesis":                    []byte(`{"Records": [{"kinesis": {"data": "` + b64 + `"}, "eventSource": "aws:kinesis"}]}`),
		"Firehose's transformation":  []byte(`{"records": [{"recordId": "1", "data": "` + b64 + `"}]}`),
		"Insights, newest first":     []byte(insights),
		"Insights, BOM and packed":   packed([]byte("\ufeff" + insights)),
		"get-query-results":          object(map[string]any{"queryLanguage": "CWLI", "results": rows, "status": "Complete"}, "  "),
		"get-log-events, one stream": object(map[string]any{"events": got, "nextForwardToken": "f/1", "nextBackwardToken": "b/1"}, "  "),
	}
}

// The same records are read from each form.
func TestContainers(t *testing.T) {
	for name, data := range containers() {
		var got, said []string
		for r, err := range Read("logs", bytes.NewReader(data), "f", Options{Identity: arm.Identity{Arm: "a/zip"}}) {
			if err != nil {
				said = append(said, err.Error())
				continue
			}
			got = append(got, fmt.Sprint(r.RequestID, " ", r.Start, " ", *r.DurationMs, " ", r.Marked))
		}
		if d := cmp.Diff(inShort, got); d != "" || len(said) > 0 {
			t.Errorf("%s: records differ: %s; errors: %s", name, d, said)
		}
	}
}

// If something is missing, the records before it are imported, and an error says what is missing.
func TestIncomplete(t *testing.T) {
	all := containers()
	whole := all["filter-log-events"]
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"gzip":                {all["aws logs tail, packed"][:len(all["aws logs tail, packed"])-20], "cut off here: the rest is missing"},
		"JSON":                {whole[:len(whole)*3/4], "cut off here: the rest is missing"},
		"next page":           {[]byte(strings.Replace(string(all["filter-log-events, compact"]), `]}`, `],"nextToken":"x"}`, 1)), "token for more"},
		"query":               {bytes.Replace(all["get-query-results"], []byte(`"Complete"`), []byte(`"Cancelled"`), 1), "status is Cancelled"},
		"open quote":          {append([]byte("timestamp,message\n1795168800000,\""+messages[4]+"\"\n1795168800001,\""), bytes.Repeat([]byte("x\n"), maxHeld)...), `missing " in quoted-field`},
		"all rows of a query": {[]byte("@timestamp,@requestId,@duration\n" + strings.Repeat("2026-11-20 10:00:00.000,,1.5\n", 10000)), "10000 rows"},
	} {
		records := 0
		var said []string
		for _, err := range Read("logs", bytes.NewReader(test.data), "f", Options{Identity: arm.Identity{Arm: "a/zip"}}) {
			var line *record.LineError
			if err == nil {
				records++
			} else if said = append(said, err.Error()); !errors.As(err, &line) {
				t.Errorf("%s: the error ends the import: %v", name, err)
			}
		}
		if records == 0 || !strings.Contains(strings.Join(said, "; "), test.want) {
			t.Errorf("%s: %d records, %q", name, records, said)
		}
	}
}

// A subscription's payload that unpacks to more than 64 MB is passed over, and the payload beside it is read.
func TestPayloadThatGrows(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString(packed(append([]byte(`{"logEvents":[`), bytes.Repeat([]byte(" "), maxPayload+10)...)))
	text := `{"records": [{"data": "` + b64 + `"}, {"data": "` + base64.StdEncoding.EncodeToString(packed(containers()["subscription"])) + `"}]}`
	n, said := 0, ""
	for _, err := range Read("logs", strings.NewReader(text), "f", Options{Identity: arm.Identity{Arm: "a/zip"}}) {
		if err == nil {
			n++
		} else {
			said += err.Error()
		}
	}
	if n != 4 || !strings.Contains(said, "64 MB") {
		t.Errorf("%d records: %s", n, said)
	}
}

// Lambda may initialize an environment ahead of a call. A text log does not say so, but the gap before START shows it.
func TestInitThatNobodyWaitedFor(t *testing.T) {
	for start, want := range map[string]record.Mark{"10:00:00.150": "", "10:07:00.000": "INIT that nobody waited for: 7m0s before the invocation"} {
		text := "2026-11-20T10:00:00.000000+00:00 " + stream + " " + messages[0]
		for _, m := range messages[1:5] {
			text += "2026-11-20T" + start + "000+00:00 " + stream + " " + m
		}
		n := 0
		for r, err := range Read("logs", strings.NewReader(text), "f", Options{Identity: arm.Identity{Arm: "a/zip"}}) {
			if n++; err != nil || r.Marked != want {
				t.Errorf("%s: %+v, %v", start, r, err)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d records, want 1", start, n)
		}
	}
}
