package probe

import "golang.org/x/sys/unix"

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
