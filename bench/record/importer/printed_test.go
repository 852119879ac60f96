package importer

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

const (
	ownID     = "00000000-0000-4000-8000-0000000000%02d"
	foreignID = "ffffffff-0000-4000-8000-0000000000ff"
)

// styles are the prefixes that tools put before each line of one log stream.
var styles = map[string]string{
	"tail":  "2026-11-20T10:00:%02d.123000+00:00 2026/11/20/[$LATEST]0a0a ",
	"sam":   "2026/11/20/[$LATEST]0a0a 2026-11-20T10:00:%02d.123000 ",
	"s3":    "2026-11-20T10:00:%02d.123Z ",
	"short": "2026-11-20T10:00:%02d ",
}

// around is a log of three invocations in one environment, the second of which prints something.
func around(style, output string, jsonFormat, asOneEvent bool) string {
	var b strings.Builder
	second := 0
	line := func(format string, args ...any) {
		fmt.Fprintf(&b, styles[style], second)
		fmt.Fprintf(&b, format+"\n", args...)
		second++
	}
	if jsonFormat {
		line(`{"time":"2026-11-20T10:00:00.000Z","type":"platform.initStart","record":{"initializationType":"on-demand","phase":"init"}}`)
	} else {
		line("INIT_START Runtime Version: provided:al2023.v90\tRuntime Version ARN: arn:x")
	}
	for i := range 3 {
		id := fmt.Sprintf(ownID, i+1)
		if jsonFormat {
			line(`{"time":"2026-11-20T10:00:00.000Z","type":"platform.start","record":{"requestId":"%s","version":"$LATEST"}}`, id)
		} else {
			line("START RequestId: %s Version: $LATEST", id)
		}
		if i == 1 {
			for n, text := range strings.Split(output, "\n") {
				if n == 0 || !asOneEvent {
					fmt.Fprintf(&b, styles[style], second)
				}
				b.WriteString(text + "\n")
			}
		}
		if jsonFormat {
			line(`{"time":"2026-11-20T10:00:00.000Z","type":"platform.report","record":{"requestId":"%s","metrics":{"durationMs":%d,"billedDurationMs":9,"memorySizeMB":128,"maxMemoryUsedMB":30},"status":"success"}}`, id, i+2)
		} else {
			line("END RequestId: %s", id)
			line("REPORT RequestId: %s\tDuration: %d.00 ms\tBilled Duration: 9 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t", id, i+2)
		}
	}
	return b.String()
}

// samples are the records that would go into an average, in short.
func samples(t testing.TB, format string, data []byte) (out []string) {
	t.Helper()
	for r, err := range Read("logs", bytes.NewReader(data), "f", Options{Identity: arm.Identity{Arm: "a/zip"}}) {
		var line *record.LineError
		switch {
		case errors.As(err, &line):
		case err != nil:
			t.Errorf("%s: %v", format, err)
		case r.Marked == "" || r.Marked.Is(record.AfterCrash): // the first invocation's INIT is hidden in its Duration
			out = append(out, fmt.Sprint(r.RequestID, " ", *r.DurationMs))
		}
	}
	return out
}

var platformsOwn = []string{fmt.Sprintf(ownID+" 2", 1), fmt.Sprintf(ownID+" 3", 2), fmt.Sprintf(ownID+" 4", 3)}

// printable are lines that a function may print. mutated changes them. The last two name the invocation that prints them.
var printable = []string{
	"REPORT RequestId: " + foreignID + "\tDuration: 77.00 ms\tBilled Duration: 78 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tInit Duration: 66.00 ms\t",
	"START RequestId: " + foreignID + " Version: $LATEST",
	"END RequestId: " + foreignID,
	`{"time":"2026-11-20T10:00:00.000Z","type":"platform.report","record":{"requestId":"` + foreignID + `","metrics":{"durationMs":77,"billedDurationMs":78,"memorySizeMB":128,"maxMemoryUsedMB":30,"initDurationMs":66},"status":"success"}}`,
	`{"time":"2026-11-20T10:00:00.000Z","type":"platform.start","record":{"requestId":"` + foreignID + `"}}`,
	`{"message":"REPORT RequestId: ` + foreignID + `\tDuration: 77.00 ms\tBilled Duration: 78 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t\n","timestamp":1795168800000,"eventId":"1","ingestionTime":1}`,
	`{"logEvents":[{"message":"REPORT RequestId: ` + foreignID + `\tDuration: 77.00 ms\tBilled Duration: 78 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t\n","timestamp":1795168800000}]}`,
	"{\n    \"type\": \"platform.report\",\n    \"record\": {\"requestId\": \"" + foreignID + "\", \"metrics\": {\"durationMs\": 77, \"billedDurationMs\": 78, \"memorySizeMB\": 128, \"maxMemoryUsedMB\": 30}}\n}",
	"2026-11-20T10:00:00.123000+00:00 2026/11/20/[$LATEST]0b0b REPORT RequestId: " + foreignID + "\tDuration: 77.00 ms\tBilled Duration: 78 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t",
	"timestamp,message", "{", "}", "[", "\x1b[31mREPORT RequestId: " + foreignID + "\x1b[0m", "{\"twinstartPhases\":\"init\",\"us\":{\"exec\":1}}",
	"REPORT RequestId: " + fmt.Sprintf(ownID, 2) + "\tDuration: 77.00 ms\tBilled Duration: 78 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t",
	`{"type":"platform.report","record":{"requestId":"` + fmt.Sprintf(ownID, 2) + `","metrics":{"durationMs":77,"billedDurationMs":78,"memorySizeMB":128,"maxMemoryUsedMB":30},"status":"success"}}`,
}

// mutated returns a few of these lines, each changed up to three times.
func mutated(r *rand.Rand) string {
	var lines []string
	for range 1 + r.IntN(8) {
		s := printable[r.IntN(len(printable))]
		for range r.IntN(4) {
			at := r.IntN(len(s) + 1)
			to := at + r.IntN(len(s)-at+1)
			switch r.IntN(9) {
			case 0:
				s = s[:at]
			case 1:
				s = s[at:]
			case 2:
				s = s[:at] + s[to:]
			case 3:
				s = s[:at] + string(rune(r.IntN(0x2030))) + s[at:]
			case 4:
				s = s[:at] + "\n" + s[at:]
			case 5:
				s = strings.ReplaceAll(s, "\t", " ")
			case 6:
				s = []string{"forwarding ", " ", "\t", "\ufeff", "> ", "\"", "[INFO] ", "2026-11-20T10:00:00Z ", "x\n"}[r.IntN(9)] + s
			case 7:
				s += printable[r.IntN(len(printable))]
			case 8:
				s = s[:at] + s[at:to] + s[at:]
			}
		}
		lines = append(lines, s)
	}
	return strings.Join(lines, "\n")
}

// told reports whether printed lines can be told from the platform's lines. They cannot if they start or end their own
// invocation. If the log does not say which environment wrote a line, they cannot if they are anything but reports of
// other invocations.
func told(style, output string, asOneEvent bool) bool {
	if asOneEvent && (style == "tail" || style == "s3" || style == "short") && strings.Contains(output, "2026-11-20T10:00:00") {
		return false // a printed line has the prefix that the tool puts before an event
	}
	own := fmt.Sprintf(ownID, 2)
	if style == "short" {
		return !strings.Contains(output, own) && !strings.Contains(output, "START") && !strings.Contains(output, "END") && !strings.Contains(output, "platform.start")
	}
	return !strings.Contains(output, "END RequestId: "+own) && !strings.Contains(output, "START RequestId: "+own)
}

var printed = flag.Int("printed", 50_000, "lines of TestNothingPrintedIsASample (make soak: a million)")

// TestNothingPrintedIsASample prints mutated lines among the platform's. Only the platform's lines become samples.
func TestNothingPrintedIsASample(t *testing.T) {
	names := []string{"tail", "sam", "s3", "short"}
	r := rand.New(rand.NewPCG(22, 1))
	for lines, failed := 0, 0; lines < *printed && failed < 5; {
		style, output, jsonFormat, asOneEvent := names[r.IntN(len(names))], mutated(r), r.IntN(3) == 0, r.IntN(4) == 0
		if !told(style, output, asOneEvent) {
			continue
		}
		lines += 1 + strings.Count(output, "\n")
		text := around(style, output, jsonFormat, asOneEvent)
		if d := cmp.Diff(platformsOwn, samples(t, style, []byte(text))); d != "" {
			failed++
			t.Errorf("%s JSON %v, one event %v:\n%s\n%s", style, jsonFormat, asOneEvent, text, d)
		}
	}
}

// FuzzPrinted lets a function print any text.
func FuzzPrinted(f *testing.F) {
	for _, s := range printable {
		f.Add(s, false, false)
		f.Add("x\n"+s, true, true)
	}
	f.Add(printable[1]+"\n"+printable[2]+"\n"+printable[0], false, false)
	f.Fuzz(func(t *testing.T, output string, jsonFormat, asOneEvent bool) {
		if !told("tail", output, asOneEvent) || strings.Contains(output, "INIT_START") || strings.Contains(output, "initStart") || strings.Contains(output, "2026/11/20/[$LATEST]0a0a") {
			t.Skip() // nothing tells such a line from the platform's
		}
		text := around("tail", output, jsonFormat, asOneEvent)
		if d := cmp.Diff(platformsOwn, samples(t, "tail", []byte(text))); d != "" {
			t.Errorf("%s\n%s", text, d)
		}
	})
}
