package lab

import (
	"os"
	"runtime"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// Machine describes the machine on which a figure was measured.
type Machine struct {
	Kernel       string  `json:"kernel"`
	CPU          string  `json:"cpu"`
	Cores        int     `json:"cores"`
	Architecture string  `json:"architecture"` // Lambda's name of it
	CGroups      string  `json:"cgroups"`      // "v1", "v2" or "none"
	Privileges   string  `json:"privileges"`   // "root" or "user namespace"
	ColdBy       string  `json:"coldBy"`       // "loop mount" or "posix_fadvise"
	ReadAheadKiB int     `json:"readAheadKiB"`
	InitCPU      InitCPU `json:"initCpu"`
	Base         string  `json:"base"` // "host" or the folder that was given
}

func (l *Lab) describe() Machine {
	m := Machine{
		Kernel: strings.TrimSpace(read("/proc/sys/kernel/osrelease")), CPU: cpuModel(read("/proc/cpuinfo")), Cores: runtime.NumCPU(),
		Architecture: string(HostArchitecture()), CGroups: l.groups.Mode(), Privileges: "root", ColdBy: "loop mount",
		ReadAheadKiB: l.options.ReadAheadKiB, InitCPU: l.options.InitCPU, Base: "host",
	}
	if l.unprivileged {
		m.Privileges = "user namespace"
	}
	if !l.store.Loop {
		m.ColdBy = "posix_fadvise"
	}
	if l.options.BaseRoot != "" {
		m.Base = l.options.BaseRoot
	}
	return m
}

// HostArchitecture returns this machine's architecture by Lambda's name. An architecture that Lambda does not have
// keeps Go's name and matches no function.
func HostArchitecture() arm.Architecture {
	for _, a := range []arm.Architecture{arm.ARM64, arm.X8664} {
		if a.GOARCH() == runtime.GOARCH {
			return a
		}
	}
	return arm.Architecture(runtime.GOARCH)
}

// cpuModel returns the processor's name in /proc/cpuinfo. ARM has no name there, so it returns the part number.
func cpuModel(cpuinfo string) string {
	part := ""
	for line := range strings.Lines(cpuinfo) {
		name, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(name) {
		case "model name":
			return strings.TrimSpace(value)
		case "CPU part":
			part = "CPU part " + strings.TrimSpace(value)
		}
	}
	return part
}

func read(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}
