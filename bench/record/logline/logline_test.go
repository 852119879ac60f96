package logline

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twinstart/twinstart/arm/counts"
)

func TestReport(t *testing.T) {
	warm := Report{RequestID: "ID", DurationMs: new(14.97), BilledDurationMs: new(15.0), MemorySizeMB: new(128), MaxMemoryUsedMB: new(67)}
	with := func(change func(*Report)) Report { r := warm; change(&r); return r }
	cold := with(func(r *Report) { r.InitDurationMs = new(111.94) })
	for _, c := range []struct {
		name, line string
		want       Report
	}{
		{"warm", "REPORT RequestId: ID\tDuration: 14.97 ms\tBilled Duration: 15 ms\tMemory Size: 128 MB\tMax Memory Used: 67 MB\t", warm},
		{"line end", "REPORT RequestId: ID\tDuration: 14.97 ms\tBilled Duration: 15 ms\tMemory Size: 128 MB\tMax Memory Used: 67 MB\t\n", warm},
		{"Windows line end", "REPORT RequestId: ID\tDuration: 14.97 ms\tBilled Duration: 15 ms\tMemory Size: 128 MB\tMax Memory Used: 67 MB\r\n", warm},
		{"spaces", "REPORT RequestId: ID Duration: 14.97 ms Billed Duration: 15 ms Memory Size: 128 MB Max Memory Used: 67 MB", warm},
		{"two spaces of the old form", "REPORT RequestId: ID  Duration: 14.97 ms  Billed Duration: 15 ms  Memory Size: 128 MB  Max Memory Used: 67 MB  ", warm},
		{"cold", "REPORT RequestId: ID\tDuration: 14.97 ms\tBilled Duration: 15 ms\tMemory Size: 128 MB\tMax Memory Used: 67 MB\tInit Duration: 111.94 ms\t", cold},
		{"cold, emulator's order", "REPORT RequestId: ID\tInit Duration: 111.94 ms\tDuration: 14.97 ms\tBilled Duration: 15 ms\tMemory Size: 128 MB\tMax Memory Used: 67 MB\t", cold},
		{"cold, spaces, any order", "REPORT RequestId: ID Max Memory Used: 67 MB Init Duration: 111.94 ms Memory Size: 128 MB Billed Duration: 15 ms Duration: 14.97 ms", cold},
		{"SnapStart", "REPORT RequestId: ID\tDuration: 14.97 ms\tBilled Duration: 15 ms\tMemory Size: 128 MB\tMax Memory Used: 67 MB\tRestore Duration: 398.97 ms\tBilled Restore Duration: 182 ms\t",
			with(func(r *Report) { r.RestoreDurationMs, r.BilledRestoreDurationMs = new(398.97), new(182.0) })},
		{"X-Ray", "REPORT RequestId: ID\tDuration: 14.97 ms\tBilled Duration: 15 ms\tMemory Size: 128 MB\tMax Memory Used: 67 MB\tXRAY TraceId: 1-5-7\tSegmentId: 9\tSampled: true",
			with(func(r *Report) { r.Sampled = "1" })},
		{"timeout", "REPORT RequestId: ID\tDuration: 14.97 ms\tBilled Duration: 15 ms\tMemory Size: 128 MB\tMax Memory Used: 67 MB\tStatus: timeout",
			with(func(r *Report) { r.Status = "timeout" })},
		{"error", "REPORT RequestId: ID\tDuration: 14.97 ms\tBilled Duration: 15 ms\tMemory Size: 128 MB\tMax Memory Used: 67 MB\tStatus: error\tError Type: Runtime.ExitError",
			with(func(r *Report) { r.Status, r.ErrorType = "error", "Runtime.ExitError" })},
		{"error, spaces", "REPORT RequestId: ID Duration: 14.97 ms Billed Duration: 15 ms Memory Size: 128 MB Max Memory Used: 67 MB Status: error Error Type: Runtime.ExitError",
			with(func(r *Report) { r.Status, r.ErrorType = "error", "Runtime.ExitError" })},
		{"unknown keys", "REPORT RequestId: ID\tDuration: 14.97 ms\tFuture Thing: 3 GB\tBilled Duration: 15 ms\tMemory Size: 128 MB\tMax Memory Used: 67 MB\tOther: yes", warm},
		{"only Duration", "REPORT RequestId: ID\tDuration: 0 ms", Report{RequestID: "ID", DurationMs: new(0.0)}},
		{"JSON", `{"time":"2026-11-21T10:00:00.123Z","type":"platform.report","record":{"requestId":"ID","metrics":{"durationMs":14.97,"billedDurationMs":15,"memorySizeMB":128,"maxMemoryUsedMB":67,"initDurationMs":111.94},"status":"success"}}`, cold},
		{"JSON with a time", `{"time":"x","type":"platform.report","record":{"requestId":"ID","metrics":{"durationMs":14.97,"billedDurationMs":15,"memorySizeMB":128,"maxMemoryUsedMB":67}}}` + "\n", warm},
		{"JSON error", `{"type":"platform.report","record":{"requestId":"ID","status":"error","errorType":"Runtime.ExitError","metrics":{"durationMs":14.97,"billedDurationMs":15,"memorySizeMB":128,"maxMemoryUsedMB":67},"tracing":{"spanId":"1","type":"X-Amzn-Trace-Id","value":"Root=1-5-7;Parent=3;Sampled=1"}}}`,
			with(func(r *Report) { r.Status, r.ErrorType, r.Sampled = "error", "Runtime.ExitError", "1" })},
		{"JSON SnapStart", `{"type":"platform.report","record":{"requestId":"ID","metrics":{"durationMs":14.97,"billedDurationMs":15,"memorySizeMB":128,"maxMemoryUsedMB":67,"restoreDurationMs":398.97,"billedRestoreDurationMs":182}}}`,
			with(func(r *Report) { r.RestoreDurationMs, r.BilledRestoreDurationMs = new(398.97), new(182.0) })},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse(c.line)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got.Report); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestOtherLinesAreNotReport(t *testing.T) {
	for _, line := range []string{
		"",
		"START RequestId: ID Version: $LATEST",
		"END RequestId: ID",
		"INIT_START Runtime Version: provided:al2023.v1\tRuntime Version ARN: arn",
		"INIT_REPORT Init Duration: 10008.03 ms\tPhase: init\tStatus: timeout",
		"RESTORE_REPORT Restore Duration: 398.97 ms",
		"RESTORE_REPORT Restore Duration: 10000.00 ms\tStatus: timeout",
		"RESTORE_START Runtime Version: python:3.13.v90\tRuntime Version ARN: arn",
		`{"type":"platform.restoreStart","record":{"runtimeVersion":"python:3.13.v90","instanceId":"i"}}`,
		`{"type":"platform.restoreReport","record":{"status":"success","metrics":{"durationMs":398.97}}}`,
		`{"type":"platform.restoreRuntimeDone","record":{"status":"success"}}`,
		"INIT_REPORT RequestId: ID\tDuration: 3 ms",
		"REPORT on my work",
		"REPORT RequestId: ",
		"REPORT RequestId: ID",
		"XRAY TraceId: 1-5-7\tSegmentId: 9\tSampled: true",
		`{"type":"platform.initReport","record":{"initializationType":"on-demand","metrics":{"durationMs":3}}}`,
		`{"type":"platform.report","record":{"requestId":"ID"}}`,
		`{"type":"platform.report","record":{"requestId":"ID","metrics":{"durationMs":14.`,
		`{"message":"\"platform.report\" {"}`,
		"forwarding REPORT RequestId: ID\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 10 MB\t",
		" REPORT RequestId: ID\tDuration: 1.00 ms",
		`got {"type":"platform.report","record":{"requestId":"ID","metrics":{"durationMs":14.97}}}`,
		`{"type":"platform.report","record":{"requestId":"ID","metrics":{"durationMs":14.97}}} and more`,
	} {
		if l, err := Parse(line); l.Kind == KindReport || err != nil {
			t.Errorf("%q: got %+v, %v", line, l, err)
		}
	}
}

func TestBadNumbersAreNamedAndTheRestKept(t *testing.T) {
	for line, key := range map[string]string{
		"REPORT RequestId: ID\tDuration: NaN ms\tBilled Duration: 15 ms":                                           "Duration",
		"REPORT RequestId: ID\tDuration: -1 ms\tBilled Duration: 15 ms":                                            "Duration",
		"REPORT RequestId: ID\tDuration: 1 ms\tInit Duration: Inf ms\tBilled Duration: 15 ms":                      "Init Duration",
		"REPORT RequestId: ID\tDuration: 0x1p4 ms\tBilled Duration: 15 ms":                                         "Duration",
		"REPORT RequestId: ID\tDuration: 12\tBilled Duration: 15 ms":                                               "Duration",
		"REPORT RequestId: ID\tDuration: 12 m\tBilled Duration: 15 ms":                                             "Duration",
		"REPORT RequestId: ID\tDuration: 12 ms\tBilled Duration: 15 ms\tInit Dur":                                  "Init Dur",
		"REPORT RequestId: ID Duration: 12 ms Billed Duration: 15 ms Init Dur":                                     "Init Dur",
		"REPORT RequestId: ID\tDuration:\tBilled Duration: 15 ms":                                                  "Duration",
		"REPORT RequestId: ID\tDuration: 1 ms\tMemory Size: 1e300 MB\tBilled Duration: 15 ms":                      "Memory Size",
		`{"type":"platform.report","record":{"requestId":"ID","metrics":{"durationMs":-3,"billedDurationMs":15}}}`: "durationMs",
	} {
		l, err := Parse(line)
		if err == nil || l.Kind != KindReport || !strings.Contains(err.Error(), key) {
			t.Errorf("%q: error %v does not name %s", line, err, key)
		}
		if l.Report.RequestID != "ID" || l.Report.BilledDurationMs == nil {
			t.Errorf("%q: the other values are lost: %+v", line, l.Report)
		}
	}
}

func TestParseTail(t *testing.T) {
	tail := "REPORT RequestId: ID\tDuration: 1 ms\n" + // printed by the function
		"REPORT RequestId: another\tDuration: 2 ms\n" +
		"END RequestId: ID\n" +
		"REPORT RequestId: ID\tDuration: 3 ms\tInit Duration: 4 ms\n" +
		"XRAY TraceId: 1-5-7\tSegmentId: 9\tSampled: true\n" +
		`{"type":"lab.report","record":{"requestId":"ID","initReadKiB":620,"initReadChunks":2,"firstResponseReadKiB":628}}` + "\n"
	want := Tail{
		Report: &Report{RequestID: "ID", DurationMs: new(3.0), InitDurationMs: new(4.0), Sampled: "1"},
		Lab:    &counts.Line{RequestID: "ID", Counts: counts.Counts{InitReadKiB: new(620.0), InitReadChunks: new(2), FirstResponseReadKiB: new(628.0)}},
	}
	if d := cmp.Diff(want, ParseTail(tail, "ID")); d != "" {
		t.Error(d)
	}
	if got := ParseTail(tail[:20], "ID"); got.Report != nil {
		t.Errorf("cut tail: %+v", got.Report)
	}
	if got := ParseTail(tail, "none"); got.Report != nil || got.Lab != nil {
		t.Errorf("REPORT of another invocation taken: %+v", got)
	}
}

func TestParseTailJSON(t *testing.T) {
	tail := `{"time":"2026-11-21T12:00:00.000Z","type":"platform.start","record":{"requestId":"ID","version":"$LATEST"}}` + "\n" +
		`{"time":"2026-11-21T12:00:00.004Z","type":"platform.report","record":{"requestId":"ID","status":"error","errorType":"Custom",` +
		`"metrics":{"durationMs":3.25,"billedDurationMs":8,"memorySizeMB":128,"maxMemoryUsedMB":12,"initDurationMs":4.5}}}` + "\n" +
		`{"time":"2026-11-21T12:00:00.004Z","type":"lab.report","record":{"requestId":"ID","initReadKiB":620,"initReadChunks":2,"firstResponseReadKiB":628}}` + "\n" +
		`{"time":"2026-11-21T12:00:00.004Z","type":"lab.report","record":{"requestId":"another","initReadKiB":1}}` + "\n"
	want := Tail{
		Report: &Report{RequestID: "ID", DurationMs: new(3.25), BilledDurationMs: new(8.0), MemorySizeMB: new(128), MaxMemoryUsedMB: new(12),
			InitDurationMs: new(4.5), Status: "error", ErrorType: "Custom"},
		Lab: &counts.Line{RequestID: "ID", Counts: counts.Counts{InitReadKiB: new(620.0), InitReadChunks: new(2), FirstResponseReadKiB: new(628.0)}},
	}
	if d := cmp.Diff(want, ParseTail(tail, "ID")); d != "" {
		t.Error(d)
	}
}

func TestParseLab(t *testing.T) {
	json := `{"type":"lab.report","record":{"requestId":"ID","initReadKiB":620,"initReadChunks":2,"initCPUMs":1.25,"initPageFaults":300,"initMajorPageFaults":7,` +
		`"managedRuntime":"node","packageReadBy":"computed","initPackageReadKiB":2008,"initPackageReadErrorKiB":3.2,"initPackageReadChunks":4,"firstResponsePackageReadKiB":2022,` +
		`"initBaseReadKiB":3420,"initBaseReadChunks":9,"initLibcReadKiB":1800,"initWarmCPUMs":0.75,"firstResponseReadKiB":628,"firstResponseReadChunks":3,` +
		`"firstResponseCPUMs":0.5,"firstResponseBaseReadKiB":3424,"firstResponseBaseReadChunks":10}}`
	want := counts.Line{RequestID: "ID", Counts: counts.Counts{InitReadKiB: new(620.0), InitReadChunks: new(2), InitCPUMs: new(1.25), InitPageFaults: new(300), InitMajorPageFaults: new(7),
		ManagedRuntime: "node", PackageReadBy: "computed", InitPackageReadKiB: new(2008.0), InitPackageReadErrorKiB: new(3.2), InitPackageReadChunks: new(4), FirstResponsePackageReadKiB: new(2022.0),
		InitBaseReadKiB: new(3420.0), InitBaseReadChunks: new(9), InitLibcReadKiB: new(1800.0), InitWarmCPUMs: new(0.75), FirstResponseReadKiB: new(628.0),
		FirstResponseReadChunks: new(3), FirstResponseCPUMs: new(0.5), FirstResponseBaseReadKiB: new(3424.0), FirstResponseBaseReadChunks: new(10)}}
	for _, line := range []string{json, json + "\n"} {
		got, ok := ParseLab(line)
		if d := cmp.Diff(want, got); d != "" || !ok {
			t.Errorf("%s: %s", line, d)
		}
	}
	for _, line := range []string{`{"type":"lab.report","record":{"requestId":"ID","initCPUMs":-1}}`, `{"type":"lab.report","record":{"requestId":"ID","initReadChunks":"2"}}`, "LAB RequestId: ID"} {
		if got, ok := ParseLab(line); ok {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

func TestCrashed(t *testing.T) {
	for r, want := range map[Report]bool{
		{}: false, {Status: "success"}: false, {Status: "error", ErrorType: "Custom"}: false,
		{Status: "error", ErrorType: "Runtime.ExitError"}: true, {Status: "timeout"}: true, {Status: "failure"}: true,
	} {
		if got := r.Crashed(); got != want {
			t.Errorf("%+v: %v, want %v", r, got, want)
		}
	}
}

// FuzzParseTail: whatever a function prints, ParseTail does not panic, and each number that it returns is at least 0.
func FuzzParseTail(f *testing.F) {
	for _, s := range []string{
		"REPORT RequestId: ID\tDuration: 14.97 ms\tBilled Duration: 15 ms\tMemory Size: 128 MB\tMax Memory Used: 67 MB\tInit Duration: 111.94 ms\t\n",
		"REPORT RequestId: ID Max Memory Used: 67 MB Init Duration: 111.94 ms\nXRAY TraceId: 1",
		`{"type":"platform.report","record":{"requestId":"ID","metrics":{"durationMs":14.97}}}`,
		`{"type":"lab.report","record":{"requestId":"ID","initReadKiB":620,"initReadChunks":2}}`,
		"RESTORE_REPORT Restore Duration: 398.97 ms\nREPORT RequestId: ID\tDuration: 1 ms\tRestore Duration: 398.97 ms\tBilled Restore Duration: 182 ms\t\n",
		"REPORT RequestId::\t:::\tDuration: :",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tail := ParseTail(s, "")
		if tail.Report == nil {
			return
		}
		if tail.Report.RequestID == "" {
			t.Error("REPORT without a request id")
		}
		for _, x := range []*float64{tail.Report.DurationMs, tail.Report.BilledDurationMs, tail.Report.InitDurationMs, tail.Report.RestoreDurationMs, tail.Report.BilledRestoreDurationMs} {
			if x != nil && !(*x >= 0) {
				t.Errorf("want a number >= 0: %v", *x)
			}
		}
	})
}
