//go:build linux

package perevent

import (
	"encoding/json"
	"testing"
)

func TestPhases(t *testing.T) {
	defer func() { phases.on, phases.init, phases.line = false, false, nil }()
	type line struct {
		Of        string           `json:"twinstartPhases"`
		RequestID string           `json:"requestId"`
		Started   int64            `json:"startedAtMs"`
		US        map[string]int64 `json:"us"`
	}
	parse := func() (l line) {
		t.Helper()
		if err := json.Unmarshal(append(phases.line[:len(phases.line):len(phases.line)], "}}\n"...), &l); err != nil {
			t.Fatalf("%s: %v", phases.line, err)
		}
		return l
	}
	for _, off := range []string{"", "0"} {
		t.Setenv("TWINSTART_PHASES", off)
		if startPhases(); phases.on {
			t.Errorf("on with %q", off)
		}
		eventBegins("none")
		mark("main")
		if phases.line != nil {
			t.Errorf("%q although off", phases.line)
		}
	}
	t.Setenv("TWINSTART_PHASES", "1")
	startPhases()
	mark("main")
	if l := parse(); l.Of != "init" || l.Started == 0 || l.US["main"] < l.US["exec"] || len(l.US) != 2 {
		t.Errorf("INIT: %+v", l)
	}
	eventBegins("an-id")
	mark("handlerDone")
	if l := parse(); l.Of != "event" || l.RequestID != "an-id" || len(l.US) != 2 {
		t.Errorf("event: %+v", l)
	}
}
