package probe

import (
	"fmt"
	"iter"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

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

// diskReadAhead is the read-ahead in KiB of the file system that a folder lies on; the kernel's default where it is not told.
func diskReadAhead(dir string) int {
	var st unix.Stat_t
	if unix.Stat(dir, &st) == nil {
		text, err := os.ReadFile(fmt.Sprintf("/sys/class/bdi/%d:%d/read_ahead_kb", unix.Major(st.Dev), unix.Minor(st.Dev)))
		if kib, convErr := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && convErr == nil {
			return kib
		}
	}
	return DefaultReadAheadKiB
}
