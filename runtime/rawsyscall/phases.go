package main

// phase is a moment of INIT or of an event that TWINSTART_PHASES=1 reports.
type phase int

// Moments of INIT in order.
const (
	executed phase = iota // the process has read its environment; its CPU time so far counts as time since its start
	prepared              // the handler was found
	workerStarted
	connected
	workerReady
	nextSent

	initPhases
)

// Moments of an event in order.
const (
	eventRead phase = iota
	handlerDone
	responseSent

	eventPhases
)

var (
	initNames  = [initPhases]string{"exec", "main", "workerStarted", "connected", "workerReady", "nextSent"}
	eventNames = [eventPhases]string{"eventRead", "handlerDone", "responseSent"}
)

// moments are times on the monotonic clock in ns; 0 means that the moment has not come.
var moments struct {
	origin  int64 // time of the process's start, or of the event's first byte
	started int64 // the same moment on the wall clock, Unix time in ns
	at      [initPhases]int64
	done    bool // INIT is over
	memory  [512]byte
}

// startPhases computes the start of the process: now, minus the CPU time that the process has used.
func startPhases() {
	if settings.phases {
		used := now(clockProcess)
		moments.origin, moments.started = now(clockMonotonic)-used, now(clockRealtime)-used
		moments.at[executed] = moments.origin + used
	}
}

// mark notes the time of a moment.
func mark(p phase) {
	if settings.phases {
		moments.at[p] = now(clockMonotonic)
	}
}

// initEnds writes the line about INIT. It must be called after GET /next has been sent.
func initEnds() {
	if settings.phases && !moments.done {
		mark(nextSent)
		moments.done = true
		writePhases("init", "", initNames[:])
	}
}

// eventBegins notes the time of an event's first byte.
func eventBegins() {
	if settings.phases {
		moments.origin, moments.started = now(clockMonotonic), now(clockRealtime)
		moments.at = [initPhases]int64{}
	}
}

// eventEnds writes the line about an event.
func eventEnds() {
	if settings.phases {
		mark(responseSent)
		writePhases("event", current.id, eventNames[:])
	}
}

// writePhases writes {"twinstartPhases":"init","startedAtMs":<Unix time>,"us":{"exec":<microseconds since then>,...}} to the log.
func writePhases(what, id string, names []string) {
	t := in(moments.memory[:])
	t.add(`{"twinstartPhases":"`, what, `"`)
	if id != "" {
		t.add(`,"requestId":"`, id, `"`)
	}
	t.add(`,"startedAtMs":`).int(moments.started / 1e6).add(`,"us":{`)
	first := true
	for i, name := range names {
		if moments.at[i] == 0 {
			continue
		}
		if !first {
			t.byte(',')
		}
		first = false
		t.add(`"`, name, `":`).int((moments.at[i] - moments.origin) / 1e3)
	}
	t.add("}}\n")
	write(2, t.bytes)
}
