package lab_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// logEvent has the fields of a platform event that the tests look at.
type logEvent struct {
	Time, Type string
	Record     struct {
		RequestID, Version, Status, ErrorType string
		Metrics                               map[string]float64
		InitReadKiB, FirstResponseReadKiB     *float64
	}
}

// events reads a log in the JSON format and skips what a function printed. kinds has a line for each event: type, status
// and type of error.
func events(t *testing.T, log string) (kinds string, all []logEvent) {
	t.Helper()
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		var e logEvent
		must(t, json.Unmarshal([]byte(line), &e))
		if e.Time == "" {
			t.Errorf("no time in %s", line)
		}
		all = append(all, e)
		kinds += e.Type + " " + e.Record.Status + " " + e.Record.ErrorType + "\n"
	}
	return kinds, all
}

func TestJSONLogFormat(t *testing.T) {
	t.Parallel()
	c := client(t, newLab(t, function(t, "F", map[string]any{"LoggingConfig": map[string]any{"LogFormat": "JSON"}})))
	for _, step := range []struct {
		event, want string
		cold        bool
	}{
		{`{"do":"log"}`, "platform.start  \nplatform.report success \nlab.report  \n", true},
		{`{}`, "platform.start  \nplatform.report success \n", false},
		{`{"do":"fail"}`, "platform.start  \nplatform.report error Custom\n", false}, // the bootstrap reports it and goes on
		{`{"do":"exit"}`, "platform.start  \nplatform.runtimeDone error Runtime.ExitError\nplatform.report error Runtime.ExitError\n", false},
	} {
		kinds, all := events(t, invoke(t, c, "F", step.event).log)
		if kinds != step.want {
			t.Errorf("%s: events are\n%swant\n%s", step.event, kinds, step.want)
			continue
		}
		for _, e := range all {
			if e.Record.RequestID == "" {
				t.Errorf("%s: %s has no request id", step.event, e.Type)
			}
			switch m := e.Record.Metrics; e.Type {
			case "platform.report":
				if _, init := m["initDurationMs"]; init != step.cold || m["durationMs"] <= 0 || m["memorySizeMB"] != 128 || m["maxMemoryUsedMB"] <= 0 || m["billedDurationMs"] < m["durationMs"] {
					t.Errorf("%s: metrics are %v", step.event, m)
				}
			case "lab.report":
				if e.Record.InitReadKiB == nil || e.Record.FirstResponseReadKiB == nil || *e.Record.FirstResponseReadKiB < *e.Record.InitReadKiB {
					t.Errorf("%s: %+v", step.event, e.Record)
				}
			}
		}
	}
}

func TestJSONLogFormatOfAFailedINIT(t *testing.T) {
	t.Parallel()
	props := environment("INIT", "exit")
	props["LoggingConfig"] = map[string]any{"LogFormat": "JSON"}
	c := client(t, newLab(t, function(t, "F", props)))
	kinds, _ := events(t, invoke(t, c, "F", `{}`).log)
	const exit = "error Runtime.ExitError\n"
	if want := "platform.initReport " + exit + "platform.start  \nplatform.initReport " + exit + "platform.runtimeDone " + exit + "platform.report " + exit; kinds != want {
		t.Errorf("events are\n%swant\n%s", kinds, want)
	}
}
