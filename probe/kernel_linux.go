package probe

import (
	"fmt"
	"iter"

	"golang.org/x/sys/unix"
)

// codeFromFault is the first Linux whose windows for mapped code begin at the page that was touched and end with the mapping: commit
// 3b61a3f08949, which 6.17 is taken to be the first to have. Before, and for code that an emulator reads as data, they are those of
// package readahead.
const codeFromFault = 6*1000 + 17

// otherWindows says how a count in the page cache differs from a computed one by the kernel alone; "" is not at all.
func otherWindows(release string, emulated bool) string {
	if emulated || kernelVersion(release) < codeFromFault {
		return ""
	}
	return fmt.Sprintf("Linux %s reads from a page of code on, where the calibration's packages were counted by reading around it: KiB with read-ahead are lower here (Go, 2 to 6 MB: 4 to 5 %%; 1.2 MB: a quarter)", release)
}

// ownWindows warns of counts in this machine's own page cache.
func (p *Prober) ownWindows(emulated bool) (warnings []string) {
	warnings = append(warnings, fmt.Sprintf("the order of first touches cannot be noted here (%v): KiB with read-ahead are counted "+
		"as this machine's kernel reads, not computed", p.noOrder))
	if other := otherWindows(kernelRelease(), emulated); other != "" {
		warnings = append(warnings, other)
	}
	return warnings
}

// kernelVersion is 6018 for 6.18.44-x; 0 where it cannot be read.
func kernelVersion(release string) int {
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		return 0
	}
	return major*1000 + minor
}

// kernelRelease is uname -r.
func kernelRelease() string {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}

// cpus is how many CPUs a function of a usual size sees on Lambda. Runtimes size themselves by it, and what they read with them.
const cpus = 2

// allowed are the CPUs that a process may run on.
func allowed(pid int) iter.Seq[int] {
	return func(yield func(int) bool) {
		var set unix.CPUSet
		if unix.SchedGetaffinity(pid, &set) != nil {
			return
		}
		for cpu := range maxCPUs {
			if set.IsSet(cpu) && !yield(cpu) {
				return
			}
		}
	}
}

// maxCPUs is what a unix.CPUSet holds.
const maxCPUs = 1024

// asOnLambda lets a process, and what it will start, run on two of this machine's CPUs only.
func asOnLambda(pid int) {
	var two unix.CPUSet
	for cpu := range allowed(pid) {
		if two.Count() < cpus {
			two.Set(cpu)
		}
	}
	unix.SchedSetaffinity(pid, &two) //nolint:errcheck // not allowed everywhere; counts are then of more CPUs
}
