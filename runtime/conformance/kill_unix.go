//go:build unix

package conformance

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// KillAll ends a process group, then those of its leader's children: a bootstrap's worker leads one of its own.
func KillAll(leader int) {
	groups := []int{leader}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, _ := os.ReadFile(path) // pid (name) state parent group ...
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])); len(fields) > 2 && fields[1] == strconv.Itoa(leader) {
			groups = append(groups, pid)
		}
	}
	for _, group := range groups {
		syscall.Kill(-group, syscall.SIGKILL)
	}
}
