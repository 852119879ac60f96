package runfile

import (
	"bufio"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Machine is where a lab run took place, or where an AWS run was called from.
type Machine struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"` // Go's name
	Kernel       string `json:"kernel,omitempty"`
	CPU          string `json:"cpu,omitempty"`
	CPUs         int    `json:"cpus"`
	MemoryMB     int    `json:"memoryMB,omitempty"`
}

// ThisMachine describes this machine; what the system does not tell is absent. It holds no host name.
func ThisMachine() *Machine {
	m := &Machine{OS: runtime.GOOS, Architecture: runtime.GOARCH, CPUs: runtime.NumCPU()}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(b))
	}
	m.CPU = value("/proc/cpuinfo", "model name")
	kib, _, _ := strings.Cut(value("/proc/meminfo", "MemTotal"), " ")
	n, _ := strconv.Atoi(kib) // 0: not told
	m.MemoryMB = n / 1024
	return m
}

// value is the first "key : value" of a file of the /proc file system.
func value(path, key string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if k, v, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
