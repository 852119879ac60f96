//go:build linux

package perevent

import (
	"strconv"
	"syscall"
	"time"
)

// phases is the line of JSON that TWINSTART_PHASES=1 adds to the log for INIT and for each event.
// docs/handler-contract.md has its format. If phases are off, the only cost is a look at the field on.
var phases struct {
	on     bool
	init   bool // INIT is over
	origin time.Time
	line   []byte
}

// startPhases computes the start of the process: now, minus the CPU time that the process has used.
func startPhases() {
	if value, _ := syscall.Getenv("TWINSTART_PHASES"); value == "" || value == "0" {
		return
	}
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) == nil {
		phases.on = true
		beginPhases("init", "", time.Now().Add(-time.Duration(used.Utime.Nano()+used.Stime.Nano())))
		mark("exec")
	}
}

func beginPhases(what, id string, origin time.Time) {
	line := phases.line[:0]
	line = append(line, `{"twinstartPhases":"`+what+`"`...)
	if id != "" {
		line = append(line, `,"requestId":"`+id+`"`...)
	}
	line = append(line, `,"startedAtMs":`...)
	phases.line = append(strconv.AppendInt(line, origin.UnixMilli(), 10), `,"us":{`...)
	phases.origin = origin
}

// mark adds a moment to the line: its name and the microseconds since origin.
func mark(name string) {
	if !phases.on {
		return
	}
	if phases.line[len(phases.line)-1] != '{' {
		phases.line = append(phases.line, ',')
	}
	phases.line = append(phases.line, `"`+name+`":`...)
	phases.line = strconv.AppendInt(phases.line, time.Since(phases.origin).Microseconds(), 10)
}

func writePhases() { writeLog(append(phases.line, "}}\n"...)) }

// InitEnds must be called right before the first GET /next.
func InitEnds() {
	if phases.on && !phases.init {
		mark("nextSent")
		phases.init = true
		writePhases()
	}
}

// eventBegins is called when an event has been read.
func eventBegins(id string) {
	if phases.on {
		beginPhases("event", id, time.Now())
		mark("eventRead")
	}
}

// EventEnds must be called when an event is done.
func EventEnds() {
	if phases.on {
		writePhases()
	}
}
