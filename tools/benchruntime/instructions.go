//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twinstart/twinstart/lab/usage"
	"golang.org/x/sys/unix"
)

// instructions counts, with callgrind, what a candidate and its processes execute in user space up to the end of its first invocation.
func instructions(c *candidate, valgrind string) (float64, error) {
	dir, err := os.MkdirTemp("", "twinstart-bench-callgrind-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	under := *c
	under.argv = append([]string{valgrind, "-q", "--tool=callgrind", "--trace-children=yes", "--callgrind-out-file=" + filepath.Join(dir, "%p")}, c.argv...)
	if _, err := session(&under, 0, start, phase{finished: finish}); err != nil {
		return 0, err
	}
	counted, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return 0, err
	}
	var sum float64
	for _, file := range counted {
		n, err := total(file)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	if sum == 0 {
		return 0, fmt.Errorf("callgrind counted nothing of %s", c.name)
	}
	return sum, nil
}

// finish ends a process tree from its leaves by a signal that callgrind writes its file at. What ignores it is killed later and not counted.
func finish(pid int) {
	for _, pid := range slices.Backward(slices.Collect(usage.Tree(pid))) {
		_ = unix.Kill(pid, syscall.SIGTERM)
		for range 200 {
			if state, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); err != nil || strings.Contains(string(state), ") Z ") {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// total reads how many instructions a file of callgrind's is about.
func total(file string) (float64, error) {
	text, err := os.ReadFile(file)
	_, summary, found := strings.Cut(string(text), "\nsummary: ")
	if err != nil || !found {
		return 0, err
	}
	return strconv.ParseFloat(strings.Fields(summary)[0], 64)
}
