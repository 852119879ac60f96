package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/counts"
)

func sample() Record {
	return Record{
		Schema: 1, RunID: "r1", Source: Lab, Experiment: "packaging", Arm: "nethttp/zip", Bootstrap: "nethttp", Package: arm.ZIP,
		Architecture: arm.X8664, MemorySizeMB: 1024, Handler: "echo", PackageSizeBytes: 2_500_000, Round: 3, Order: 2, Start: Cold,
		Environment: 3, RequestID: "id-1", StartedAt: time.Date(2026, 11, 21, 10, 0, 0, 123e6, time.UTC),
		InitDurationMs: new(20.5), Counts: counts.Counts{InitReadKiB: new(5200.0), InitReadChunks: new(11), FirstResponseReadKiB: new(5208.0)},
		DurationMs: new(3.25), BilledDurationMs: new(24.0), MaxMemoryUsedMB: new(17), ClientDurationMs: new(25.5),
	}
}

func TestRecordIsAsDesigned(t *testing.T) {
	var b bytes.Buffer
	if err := NewWriter(&b).Write(sample()); err != nil {
		t.Fatal(err)
	}
	want := `{"schema":1,"runId":"r1","source":"lab","experiment":"packaging","arm":"nethttp/zip","bootstrap":"nethttp","package":"zip",` +
		`"architecture":"x86_64","memorySizeMB":1024,"handler":"echo","packageSizeBytes":2500000,"round":3,"order":2,"start":"cold","environment":3,` +
		`"requestId":"id-1","startedAt":"2026-11-21T10:00:00.123Z","initDurationMs":20.5,"initReadKiB":5200,"initReadChunks":11,` +
		`"firstResponseReadKiB":5208,"durationMs":3.25,"billedDurationMs":24,"maxMemoryUsedMB":17,"clientDurationMs":25.5}` + "\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
	n := 0
	for got, err := range All(&b, "x") {
		if n++; err != nil {
			t.Fatal(err)
		}
		want := sample()
		want.Line = 1
		if d := cmp.Diff(want, *got); d != "" {
			t.Error(d)
		}
	}
	if n != 1 {
		t.Errorf("%d records were read, want 1", n)
	}
}

func TestAbsentFieldsAreLeftOut(t *testing.T) {
	var b bytes.Buffer
	if err := NewWriter(&b).Write(Record{Source: AWS, Arm: "a/zip", Start: Warm, DurationMs: new(0.0)}); err != nil {
		t.Fatal(err)
	}
	if want := `{"schema":1,"source":"aws","arm":"a/zip","start":"warm","durationMs":0}` + "\n"; b.String() != want {
		t.Errorf("want only the fields that are set: %s", b.String())
	}
}

func TestBadLinesAreNamedAndTheRestUsed(t *testing.T) {
	good := `{"schema":1,"source":"lab","arm":"a/zip","start":"warm"}`
	in := strings.Join([]string{
		good,
		`hello`,
		`{"schema":9,"source":"lab","arm":"a/zip","start":"warm"}`,
		`{"schema":1,"source":"lab","arm":"a/zip","start":"tepid"}`,
		``,
		`{"schema":1,"source":"moon","arm":"a/zip","start":"warm"}`,
		`{"schema":1,"source":"lab","start":"warm"}`,
		`{"a":1}`,
		`{"schema":1,"source":"lab","arm":"a/zip","start":"warm","durationMs":-1}`,
		`{"schema":1,"source":"lab","arm":"a/zip","start":"warm","durationMs":"3"}`,
		`{"schema":1,"source":"lab","arm":"a/zip","start":"warm","durationMs":NaN}`,
		`[]`,
		strings.Repeat("x", maxLine+10),
		good,
		good[:20],
	}, "\n")
	var got []string
	n := 0
	for _, err := range All(strings.NewReader(in), "f.jsonl") {
		if err == nil {
			n++
			continue
		}
		var line *LineError
		if !errors.As(err, &line) {
			t.Fatal(err)
		}
		got = append(got, err.Error())
	}
	want := []string{
		"f.jsonl:2: not a record: invalid character 'h' looking for beginning of value",
		"f.jsonl:3: schema 9 is newer than this twinstart reads (1): update twinstart",
		`f.jsonl:4: unknown start "tepid": want cold or warm`,
		`f.jsonl:6: unknown source "moon": want aws or lab`,
		"f.jsonl:7: not a record: it has no arm",
		"f.jsonl:8: not a record: it has no schema",
		"f.jsonl:9: durationMs is -1: want a number >= 0",
		"f.jsonl:10: not a record: durationMs is a string",
		"f.jsonl:11: not a record: invalid character 'N' looking for beginning of value",
		"f.jsonl:12: not a record: it is a JSON array",
		"f.jsonl:13: line longer than 1048576 bytes: not a record",
		"f.jsonl:15: record cut off: the run was interrupted while it was written",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if n != 2 {
		t.Errorf("%d good records, want 2", n)
	}
}

func TestAppendGoesOnAfterACutLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.jsonl")
	line := `{"schema":1,"source":"lab","arm":"a/zip","start":"warm"}`
	for _, c := range []struct{ name, before, after string }{
		{"new file", "", ""},
		{"whole", line + "\n", line + "\n"},
		{"cut", line + "\n" + line[:30], line + "\n"},
		{"line end missing", line + "\n" + line, line + "\n" + line + "\n"},
		{"cut first line", line[:30], ""},
	} {
		if err := os.WriteFile(path, []byte(c.before), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := Append(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Write(Record{Source: Lab, Arm: "a/zip", Start: Warm}); err != nil {
			t.Fatal(err)
		}
		f.Close()
		got, _ := os.ReadFile(path)
		if d := cmp.Diff(c.after+line+"\n", string(got)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
	if err := os.WriteFile(path, []byte("my diary"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Append(path); err == nil {
		t.Error("no error for appending to a file that is not a run file")
	}
}

func TestDone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.jsonl")
	if d, err := ReadDone(path); err != nil || len(d) != 0 {
		t.Fatal(d, err)
	}
	f, err := Append(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, m := range []Mark{"", NoReport, Throttled, Priming, NoAnswer.With("EOF")} {
		r := sample()
		r.Marked = m
		if err := f.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	done, err := ReadDone(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Done{{Arm: "nethttp/zip", MemorySizeMB: 1024, Start: Cold, Round: 3}: 2}, done); d != "" {
		t.Error(d)
	}
}

func TestWriteRefusesNaN(t *testing.T) {
	zero := 0.0
	nan := zero / zero
	var b bytes.Buffer
	if err := NewWriter(&b).Write(Record{Source: Lab, Arm: "a/zip", Start: Warm, DurationMs: &nan}); err == nil || b.Len() > 0 {
		t.Errorf("wrote %q, %v", b.String(), err)
	}
}

// FuzzAll: whatever is in a file, All ends. It yields only valid records, and errors of one line that name the line.
func FuzzAll(f *testing.F) {
	f.Add([]byte(`{"schema":1,"source":"lab","arm":"a/zip","start":"warm"}` + "\n{"))
	f.Add([]byte("\xff\x00\n\n[]\nnull\n{}"))
	f.Add([]byte(`{"schema":1,"source":"lab","arm":"a/zip","start":"cold","startedAt":"yesterday","initDurationMs":1e309}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for r, err := range All(bytes.NewReader(data), "f") {
			var line *LineError
			switch {
			case err == nil && r.Validate() != nil:
				t.Errorf("yielded an unusable record: %v", r.Validate())
			case err != nil && (!errors.As(err, &line) || strings.Contains(err.Error(), "\n")):
				t.Errorf("want an error of one line that names the line: %q", err)
			}
		}
	})
}

// TestManyLinesKeepTheirOrder reads more lines than All decodes at a time, with bad and empty lines among them. It also
// stops after the first line, and reads a stream that breaks.
func TestManyLinesKeepTheirOrder(t *testing.T) {
	var b strings.Builder
	const n = 5000
	for i := 1; i <= n; i++ {
		switch {
		case i%100 == 0:
			b.WriteString("rubbish\n")
		case i%77 == 0:
			b.WriteString("\n")
		default:
			fmt.Fprintf(&b, `{"schema":1,"source":"lab","arm":"a/zip","start":"cold","round":%d,"initDurationMs":1,"durationMs":1}`+"\n", i)
		}
	}
	next := 1
	for l, err := range All(strings.NewReader(b.String()), "f") {
		for next%77 == 0 && next%100 != 0 {
			next++
		}
		var bad *LineError
		switch {
		case next%100 == 0:
			if !errors.As(err, &bad) || bad.Line != next {
				t.Fatalf("line %d: %v", next, err)
			}
		case err != nil || l.Line != next || l.Round != next:
			t.Fatalf("line %d: %+v %v", next, l, err)
		}
		next++
	}
	if next != n+1 {
		t.Errorf("ended at line %d", next)
	}
	for l, err := range All(strings.NewReader(b.String()), "f") {
		if err != nil || l.Round != 1 {
			t.Errorf("want the first record: %+v %v", l, err)
		}
		break
	}
	stuck := errors.New("stuck")
	got := 0
	for _, err := range All(io.MultiReader(strings.NewReader(b.String()), iotest.ErrReader(stuck)), "f") {
		if err == nil {
			got++
		} else if errors.Is(err, stuck) {
			got = -got
		}
	}
	if got >= -4000 {
		t.Errorf("%d records before the stream broke, want more than 4,000 and then the stream's error", max(got, -got))
	}
}

func TestAbsurdNumbersAreNamed(t *testing.T) {
	for field, want := range map[string]string{
		`"durationMs":1e308`:         "f:1: durationMs is 1e+308: no invocation has so much",
		`"memorySizeMB":-5`:          "f:1: memorySizeMB is -5: want a number >= 0",
		`"round":1000000000000`:      "f:1: round is 1e+12: no invocation has so much",
		`"maxMemoryUsedMB":-1`:       "f:1: maxMemoryUsedMB is -1: want a number >= 0",
		`"initPhasesMs":{"exec":-1}`: "f:1: exec is at -1 ms: want a number >= 0",
	} {
		n := 0
		for _, err := range All(strings.NewReader(`{"schema":1,"source":"lab","arm":"a/zip","start":"warm",`+field+"}\n"), "f") {
			if n++; err == nil || err.Error() != want {
				t.Errorf("%s: %v", field, err)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d errors, want 1", field, n)
		}
	}
}
