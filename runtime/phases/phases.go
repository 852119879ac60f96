//go:build linux

package phases

import (
	"strconv"
	"syscall"
	"unsafe"
)

var (
	on, done bool  // done: INIT is over
	arrived  int64 // time of the event's first byte; arrived and origin are ns on the monotonic clock
	origin   int64 // time of the line's start
	line     []byte
	memory   [1 << 10]byte // rawsyscall takes no request id that does not fit
)

// Clocks of <time.h>.
const (
	realtime  = 0
	monotonic = 1
	processor = 2
)

// now reads a clock in nanoseconds.
func now(clock int) int64 {
	var t syscall.Timespec
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&t)), 0)
	return t.Sec*1e9 + t.Nsec
}

// Start begins INIT's line if setting, the value of TWINSTART_PHASES, asks for it. The process has read its
// environment by now. Its CPU time so far counts as the time since its start.
func Start(setting string) {
	if on = setting != "" && setting != "0"; on {
		begin("init", "", now(processor))
		Mark("exec")
	}
}

// begin starts a line about INIT or an event. since is the time, in ns, since that began.
func begin(what, id string, since int64) {
	origin = now(monotonic) - since
	b := append(append(append(memory[:0], `{"twinstartPhases":"`...), what...), '"')
	if id != "" {
		b = append(append(append(b, `,"requestId":"`...), id...), '"')
	}
	b = strconv.AppendInt(append(b, `,"startedAtMs":`...), (now(realtime)-since)/1e6, 10)
	b = append(b, `,"us":{`...)
	line = b
}

// Mark adds a moment to the line: its name and the microseconds since the line's start.
func Mark(name string) {
	if !on {
		return
	}
	b := line
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = append(append(append(b, '"'), name...), `":`...)
	line = strconv.AppendInt(b, (now(monotonic)-origin)/1e3, 10)
}

// InitEnds returns INIT's line, once. It must be called when the first GET /next leaves.
func InitEnds() []byte {
	if !on || done {
		return nil
	}
	done = true
	Mark("nextSent")
	return append(line, "}}\n"...)
}

// EventArrives notes the time of an event's first byte.
func EventArrives() {
	if on {
		arrived = now(monotonic)
	}
}

// EventBegins is called when an event has been read.
func EventBegins(id string) {
	if on {
		begin("event", id, now(monotonic)-arrived)
		Mark("eventRead")
	}
}

// EventEnds returns the event's line.
func EventEnds() []byte {
	if !on {
		return nil
	}
	return append(line, "}}\n"...)
}
