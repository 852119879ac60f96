//go:build linux

package phases

import (
	"encoding/json"
	"testing"
)

func TestLines(t *testing.T) {
	defer Start("")
	type fields struct {
		Of        string           `json:"twinstartPhases"`
		RequestID string           `json:"requestId"`
		Started   int64            `json:"startedAtMs"`
		US        map[string]int64 `json:"us"`
	}
	parse := func(text []byte) (l fields) {
		t.Helper()
		if err := json.Unmarshal(text, &l); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return l
	}
	for _, off := range []string{"", "0"} {
		Start(off)
		EventArrives()
		EventBegins("none")
		Mark("main")
		if text := append(InitEnds(), EventEnds()...); text != nil {
			t.Errorf("%q although off", text)
		}
	}
	Start("1")
	Mark("main")
	if l := parse(InitEnds()); l.Of != "init" || l.Started == 0 || l.US["main"] < l.US["exec"] || len(l.US) != 3 {
		t.Errorf("INIT: %+v", l)
	}
	if again := InitEnds(); again != nil {
		t.Errorf("INIT ends again: %s", again)
	}
	EventArrives()
	EventBegins("an-id")
	Mark("handlerDone")
	if l := parse(EventEnds()); l.Of != "event" || l.RequestID != "an-id" || l.US["handlerDone"] < l.US["eventRead"] || len(l.US) != 2 {
		t.Errorf("event: %+v", l)
	}
}
