package lab

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/lab/cgroup"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/lab/usage"
	"github.com/twinstart/twinstart/packages/archive"
)

// prepareMachine finds out what this machine allows, warns about differences from Lambda, and makes the lab's folders.
func (l *Lab) prepareMachine() (err error) {
	l.groups, l.cleanup = cgroup.Open(), func() {}
	defer func() {
		if err != nil {
			l.leave()
		}
	}()
	if l.unprivileged, err = sandbox.Probe(l.groups.Try); err != nil {
		return err
	}
	if err = l.chooseNetwork(); err != nil {
		return err
	}
	if !l.options.Measured {
		if l.filters, err = sandbox.Filters(); err != nil {
			l.warn("functions may make every system call, because this kernel does not filter them: %v", err)
		}
	}
	var place Place
	if place, l.cleanup, err = OpenPlace(l.options.StateDir); err != nil {
		return err
	}
	l.mnt, l.store = place.Mnt, place.Store
	if why := place.Folders; why != nil {
		l.warn("packages are made cold by posix_fadvise, because they cannot be mounted: %v; %s",
			why, coldfs.Describe(l.store.Dir))
	}
	_ = archive.Sweep(l.store.Dir, 7*24*time.Hour) // if this fails, the next lab tries again
	if l.base, err = OpenBase(l.options.BaseRoot, place.Dir); err != nil {
		return err
	}
	if l.options.BaseRoot == "" {
		l.warn("this machine's own /usr stands in for the base image provided:al2023: " +
			"its Bash, curl and libc differ from Lambda's")
	}
	if l.unprivileged {
		l.warn("not root: execution environments are user namespaces; " +
			"without control groups the memory size limits each process alone, not all of them together")
	}
	for _, warning := range l.groups.Warnings() {
		l.warn("%s", warning)
	}
	l.machine = l.describe()
	return nil
}

// leave removes what prepareMachine has made.
func (l *Lab) leave() {
	l.groups.Close()
	l.cleanup()
}

// Look checks what the lab can do here and runs no function. The warnings are those that a lab would have. The error
// says why the lab cannot run here.
func Look() (warnings []string, err error) {
	l := &Lab{}
	if err = l.prepareMachine(); err == nil {
		l.leave()
	}
	return l.warnings, err
}

// Machine describes the machine on which a figure was measured.
type Machine struct {
	Kernel       string `json:"kernel"`
	CPU          string `json:"cpu"`
	Cores        int    `json:"cores"`
	Architecture string `json:"architecture"` // by Lambda's name: x86_64 or arm64
	CGroups      string `json:"cgroups"`      // "v1", "v2" or "none"
	Privileges   string `json:"privileges"`   // "root" or "user namespace"
	ColdBy       string `json:"coldBy"`       // "loop mount" or "posix_fadvise"
	ReadAheadKiB int    `json:"readAheadKiB"`
	InitCPU      string `json:"initCpu"` // "full" or "proportional"
	Base         string `json:"base"`    // "host" or the folder that was given
}

func (l *Lab) describe() Machine {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	info, _ := os.ReadFile("/proc/cpuinfo")
	cpu := append(cpuName.FindStringSubmatch(string(info)), "", "", "")
	return Machine{
		Kernel: strings.TrimSpace(string(kernel)), CPU: strings.TrimSpace(cpu[1] + " " + cpu[2]),
		Cores: runtime.NumCPU(), Architecture: string(arm.Host()), CGroups: l.groups.Mode(),
		Privileges:   map[bool]string{true: "user namespace", false: "root"}[l.unprivileged],
		ColdBy:       map[bool]string{true: "loop mount", false: "posix_fadvise"}[l.store.Loop],
		InitCPU:      map[bool]string{true: "proportional", false: "full"}[l.options.ProportionalInit],
		ReadAheadKiB: l.options.ReadAheadKiB, Base: cmp.Or(l.options.BaseRoot, "host"),
	}
}

// cpuName matches the processor's name in /proc/cpuinfo, or the part number of an ARM processor, which has no name
// there.
var cpuName = regexp.MustCompile(`(?m)^(?:model name|(CPU part))\s*:\s*(.+)$`)

// Place has the folders in which environments are prepared.
type Place struct {
	Dir, Mnt string        // Mnt has empty mount points
	Store    *coldfs.Store // prepared packages
	Folders  error         // why packages are kept as folders; nil if they can be mounted from loop devices
}

const temporaryPrefix = "twinstart-lab-"

// OpenPlace makes the folders in dir, or in a temporary folder if dir is "". cleanup removes the temporary folder.
func OpenPlace(dir string) (p Place, cleanup func(), err error) {
	cleanup = func() {}
	if dir == "" {
		sweepTemporary()
		if dir, err = Temporary(); err == nil {
			err = os.Chmod(dir, 0o755) // functions run as another user
		}
		made := dir
		cleanup = func() { os.RemoveAll(made) }
	}
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	p = Place{Dir: dir, Mnt: filepath.Join(dir, "mnt"), Folders: coldfs.Usable()}
	p.Store = &coldfs.Store{Dir: filepath.Join(dir, "packages"), Loop: p.Folders == nil}
	for _, d := range []string{"packages", "mnt/root", "mnt/layer", "mnt/base"} {
		if err == nil {
			err = os.MkdirAll(filepath.Join(dir, d), 0o755)
		}
	}
	if err != nil {
		cleanup()
		err = fmt.Errorf("making the lab's folder: %w: name another one with --state or TMPDIR", err)
	}
	return p, cleanup, err
}

// Temporary makes a folder. If this process is killed, the next lab removes it.
func Temporary() (string, error) {
	return os.MkdirTemp("", temporaryPrefix+strconv.Itoa(os.Getpid())+"-")
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
