package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPhasesAreMediansOfDifferences: three cold starts of one arm, the second without a worker, and a warm event.
func TestPhasesAreMediansOfDifferences(t *testing.T) {
	var in strings.Builder
	for i, phases := range []string{
		`"initDurationMs":10,"initPhasesMs":{"exec":1,"workerStarted":3,"nextSent":6},"eventPhasesMs":{"eventRead":0.5,"responseSent":2}`,
		`"initDurationMs":8,"initPhasesMs":{"exec":2,"nextSent":5},"eventPhasesMs":{"eventRead":0.5,"responseSent":1}`,
		`"initDurationMs":9,"initPhasesMs":{"exec":3,"workerStarted":4,"nextSent":9.5},"eventPhasesMs":{"eventRead":0.25,"responseSent":1}`,
	} {
		fmt.Fprintf(&in, `{"schema":1,"source":"lab","arm":"a/zip","start":"cold","round":%d,"durationMs":3,%s}`+"\n", i+1, phases)
	}
	in.WriteString(`{"schema":1,"source":"lab","arm":"a/zip","start":"warm","durationMs":1,"eventPhasesMs":{"eventRead":0.125}}` + "\n")
	in.WriteString(`{"schema":1,"source":"lab","arm":"b/zip","start":"cold","initDurationMs":4,"durationMs":3}` + "\n")
	rep, err := Stream(strings.NewReader(in.String()), "test", Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Phase{
		{Stage: StageInit, Name: Outside, Count: 3, P50: 3}, // 10 - 6, 8 - 5, and 0, because the bootstrap saw more than Init Duration
		{Stage: StageInit, Name: "exec", Count: 3, P50: 2},
		{Stage: StageInit, Name: "workerStarted", Count: 2, P50: 1.5},
		{Stage: StageInit, Name: "nextSent", Count: 3, P50: 3},
		{Stage: StageFirst, Name: "eventRead", Count: 3, P50: 0.5},
		{Stage: StageFirst, Name: "responseSent", Count: 3, P50: 0.75},
		{Stage: StageWarm, Name: "eventRead", Count: 1, P50: 0.125},
	}
	if d := cmp.Diff(want, find(t, rep, "a/zip").Phases); d != "" {
		t.Error(d)
	}
	if !rep.HasPhases() {
		t.Error("HasPhases says that no arm has phases")
	}
}
