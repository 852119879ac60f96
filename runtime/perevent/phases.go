//go:build linux

package perevent

import (
	"strconv"
	"syscall"
	"time"
)

// phases is what TWINSTART_PHASES=1 makes of INIT, or of an event: a line of JSON in the log. Its format is in docs/handler-contract.md.
// Where it is off, all of it is one look at on.
var phases struct {
	on     bool
	init   bool // is over
	origin time.Time
	line   []byte
}

// startPhases takes the start of the process to be as long ago as it has used the CPU.
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

// mark notes that a moment has come.
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

// InitEnds is called right before the first GET /next.
func InitEnds() {
	if phases.on && !phases.init {
		mark("nextSent")
		phases.init = true
		writePhases()
	}
}

// eventBegins is called with an event that has been read.
func eventBegins(id string) {
	if phases.on {
		beginPhases("event", id, time.Now())
		mark("eventRead")
	}
}

// EventEnds is called when nothing is left to do about an event.
func EventEnds() {
	if phases.on {
		writePhases()
	}
}
