package logline

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPhasesInATail(t *testing.T) {
	tail := `{"twinstartPhases":"init","startedAtMs":1795271814700,"us":{"exec":270,"main":290,"nextSent":1800}}` + "\n" +
		"START RequestId: ID Version: $LATEST\n" +
		`{"twinstartPhases":"event","requestId":"another","startedAtMs":1,"us":{"eventRead":9}}` + "\n" +
		`2026-11-21T10:00:00Z stream {"twinstartPhases":"event","requestId":"ID","startedAtMs":1795271814704,"us":{"eventRead":2,"responseSent":95}}` + "\n" +
		"REPORT RequestId: ID\tDuration: 1 ms\n"
	got := ParseTail(tail, "ID")
	if d := cmp.Diff(map[string]float64{"exec": 0.27, "main": 0.29, "nextSent": 1.8}, got.InitPhases); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]float64{"eventRead": 0.002, "responseSent": 0.095}, got.EventPhases); d != "" {
		t.Error(d)
	}
	if got.Report == nil {
		t.Error("the tail's REPORT is lost")
	}
}

func TestOtherLinesAreNotPhases(t *testing.T) {
	for _, line := range []string{
		"", "twinstartPhases", `{"twinstartPhases":"init"}`, `{"twinstartPhases":"init","us":{}}`, `{"twinstartPhases":"init","us":{"exec":-1}}`,
		`{"twinstartPhases":"event","us":{"eventRead":1}}`, `{"twinstartPhases":"dinner","us":{"soup":1}}`, `{"twinstartPhases":"init","us":{"exec":1e999}}`,
		`{"twinstartPhases":"init","us":{"exec":"1"}}`, `{"twinstartPhases":"init","us":{"exec":27`,
	} {
		if tail := ParseTail(line, ""); tail.InitPhases != nil || tail.EventPhases != nil {
			t.Errorf("%s: %+v", line, tail)
		}
	}
}
