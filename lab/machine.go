package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/cgroup"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/lab/usage"
)

// prepareMachine finds out what this machine allows.
func (l *Lab) prepareMachine() (err error) {
	groups := cgroup.Open()
	defer func() {
		if err != nil {
			groups.Close()
		}
	}()
	if l.unprivileged, err = sandbox.Probe(groups.Try); err != nil {
		return err
	}
	if err = l.chooseNetwork(); err != nil {
		return err
	}
	if !l.options.Measured {
		if l.filters, err = sandbox.Filters(); err != nil {
			l.warn("functions may make every system call, for this kernel does not filter them: %v", err)
		}
	}
	l.groups = groups
	place, cleanup, err := OpenPlace(l.options.StateDir)
	if err != nil {
		return err
	}
	l.cleanup, l.mnt, l.store = cleanup, place.Mnt, place.Store
	defer func() {
		if err != nil {
			cleanup()
		}
	}()
	if why := place.Folders; why != nil {
		l.warn("packages are made cold by posix_fadvise%s, not by mounting them afresh: %v", coldfs.Describe(l.store.Dir), why)
	}
	l.store.Prune(7 * 24 * time.Hour)
	if l.base, err = OpenBase(l.options.BaseRoot, place.Dir); err != nil {
		return err
	}
	if l.options.BaseRoot == "" {
		l.warn("this machine's own /usr stands in for the base image provided:al2023: its Bash, curl and libc differ from Lambda's")
	}
	if l.unprivileged {
		l.warn("not root: execution environments are user namespaces; without control groups each process, not all together, is held to the memory size")
	}
	for _, warning := range l.groups.Warnings() {
		l.warn("%s", warning)
	}
	l.machine = l.describe()
	return nil
}

// Look checks what the lab can do here and runs nothing. warnings say what would be missing; err, why it cannot
// run.
func Look() (warnings []string, err error) {
	l := &Lab{}
	if err := l.prepareMachine(); err != nil {
		return nil, err
	}
	l.groups.Close()
	l.cleanup()
	return l.warnings, nil
}

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
		Architecture: string(arm.Host()), CGroups: l.groups.Mode(), Privileges: "root", ColdBy: "loop mount",
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

// Place has the folders in which environments are prepared.
type Place struct {
	Dir, Mnt string        // Mnt has empty folders to mount on
	Store    *coldfs.Store // of packages
	Folders  error         // why packages are folders; nil if they are loop devices
}

const temporaryPrefix = "twinstart-lab-"

// OpenPlace makes the folders in dir. If dir is empty, it is temporary. cleanup removes what must not stay.
func OpenPlace(dir string) (p Place, cleanup func(), err error) {
	cleanup = func() {}
	defer func() {
		if err != nil {
			cleanup()
			err = fmt.Errorf("making the lab's folder: %w", err)
		}
	}()
	if dir == "" {
		sweepTemporary()
		if dir, err = os.MkdirTemp("", temporaryPrefix+strconv.Itoa(os.Getpid())+"-"); err != nil {
			return p, cleanup, err
		}
		cleanup = func() { os.RemoveAll(dir) }
		if err = os.Chmod(dir, 0o755); err != nil { // functions run as another user
			return p, cleanup, err
		}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return p, cleanup, err
	}
	p = Place{Dir: dir, Mnt: filepath.Join(dir, "mnt"), Folders: coldfs.Usable()}
	p.Store = &coldfs.Store{Dir: filepath.Join(dir, "packages"), Loop: p.Folders == nil}
	for _, d := range []string{p.Store.Dir, filepath.Join(p.Mnt, "root"), filepath.Join(p.Mnt, "layer"), filepath.Join(p.Mnt, "base")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return p, cleanup, err
		}
	}
	return p, cleanup, nil
}

// sweepTemporary removes the temporary folders that killed labs have left.
func sweepTemporary() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), temporaryPrefix+"*"))
	for _, dir := range left {
		name, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), temporaryPrefix), "-")
		if pid, err := strconv.Atoi(name); err == nil && usage.Ended(pid) {
			os.RemoveAll(dir)
		}
	}
}
