package probe

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// cpus is how many CPUs a function of a usual size sees on Lambda. Runtimes size themselves by it, and what they read with them.
const cpus = 2

// asOnLambda lets a process, and what it will start, run on two of this machine's CPUs only.
func asOnLambda(pid int) {
	var all, two unix.CPUSet
	if unix.SchedGetaffinity(pid, &all) != nil {
		return
	}
	for cpu := 0; cpu < 1024 && two.Count() < cpus; cpu++ {
		if all.IsSet(cpu) {
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
