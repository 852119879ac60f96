// Package usage counts what a process tree uses: CPU time and page faults. It must not disturb what is timed, so it
// is cheap: faults are read from /proc afterwards (perf would cost 0.2 ms of an INIT), and CPU is counted by one
// inherited perf event.
package usage

import "time"

// Usage is what a whole process tree has used, including processes that have ended.
type Usage struct {
	CPU         time.Duration // 0 if it cannot be counted here
	MinorFaults int64         // faults whose page was in memory or needed no file
	MajorFaults int64         // faults whose page had to be read
}

// Minus returns what was used since an earlier reading.
func (u Usage) Minus(earlier Usage) Usage {
	return Usage{u.CPU - earlier.CPU, u.MinorFaults - earlier.MinorFaults, u.MajorFaults - earlier.MajorFaults}
}
