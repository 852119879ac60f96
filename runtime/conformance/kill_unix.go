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

// KillAll kills a process group and the groups of all descendants of its leader. A bootstrap's worker leads its own
// group.
func KillAll(leader int) {
	children := map[string][]string{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, _ := os.ReadFile(path) // pid (name) state parent group ...
		if fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])); len(fields) > 2 {
			children[fields[1]] = append(children[fields[1]], filepath.Base(filepath.Dir(path)))
		}
	}
	descendants := []string{strconv.Itoa(leader)}
	for i := 0; i < len(descendants); i++ {
		descendants = append(descendants, children[descendants[i]]...)
		if pid, err := strconv.Atoi(descendants[i]); err == nil {
			_ = syscall.Kill(-pid, syscall.SIGKILL)
		}
	}
}
