package probe

import (
	"iter"

	"golang.org/x/sys/unix"
)

// cpus is how many CPUs a function of a usual size sees on Lambda. Runtimes size themselves by it, and what they read
// with them.
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
