// Package usage counts what a process tree uses: CPU time and page faults. It costs what it counts next to nothing, for it stands beside
// what is timed: faults are read from /proc afterwards (perf's would cost 0.2 ms of an INIT), and CPU is one inherited perf event.
package usage

import "time"

// Usage is of a whole process tree, what has ended included.
type Usage struct {
	CPU         time.Duration // 0: may not be counted here
	MinorFaults int64         // the page was in memory, or needed no file
	MajorFaults int64         // it had to be read
}

// Minus is what was used since an earlier reading.
func (u Usage) Minus(earlier Usage) Usage {
	return Usage{u.CPU - earlier.CPU, u.MinorFaults - earlier.MinorFaults, u.MajorFaults - earlier.MajorFaults}
}
