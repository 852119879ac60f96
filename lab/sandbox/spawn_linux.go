package sandbox

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/sandbox/inside"
)

// Spawn starts process 1 of an environment that SetUp will describe. Once process 1 runs, it writes 0 to the control
// files in groups, so that the memory and CPU of its start do not count as the function's.
func Spawn(unprivileged, ownNetwork bool, groups []string) (*Environment, error) {
	output, log, err := openOutput()
	if err != nil {
		return nil, err
	}
	defer log.Close()
	e := &Environment{output: output, Started: make(chan Start, 16), Exited: make(chan Exit, 16),
		ready: make(chan error, 1), stopped: make(chan struct{}, 1), gone: make(chan struct{})}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		ours, theirs := os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control")
		defer theirs.Close()
		var control net.Conn
		if control, err = net.FileConn(ours); err == nil {
			e.control = control.(*net.UnixConn) //nolint:forcetypeassert // the socket is AF_UNIX
			e.process, err = spawn(unprivileged, ownNetwork, []*os.File{nil, log, log, theirs})
		}
		ours.Close()
	}
	if err != nil {
		output.pipe.Close()
		if e.control != nil {
			e.control.Close()
		}
		return nil, fmt.Errorf("starting an execution environment: %w", err)
	}
	go e.follow()
	text, _ := json.Marshal(groups)
	_, _ = e.control.Write(text) // if it has ended, SetUp fails
	return e, nil
}

// spawner runs functions on a thread that lives as long as the lab.
var spawner = sync.OnceValue(func() chan<- func() {
	spawner := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range spawner {
			f()
		}
	}()
	return spawner
})

// spawn starts process 1. PR_SET_PDEATHSIG ends every environment together with the lab: it acts when the thread that
// has forked ends, so spawner's thread forks.
func spawn(unprivileged, ownNetwork bool, files []*os.File) (process *os.Process, err error) {
	sys := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGKILL,
		Setsid:     true, // Ctrl-C must only reach the lab
	}
	if ownNetwork {
		sys.Cloneflags |= syscall.CLONE_NEWNET
	}
	if unprivileged {
		sys.Cloneflags |= syscall.CLONE_NEWUSER
		sys.UidMappings = []syscall.SysProcIDMap{{ContainerID: UID, HostID: os.Geteuid(), Size: 1}}
		sys.GidMappings = []syscall.SysProcIDMap{{ContainerID: GID, HostID: os.Getegid(), Size: 1}}
		sys.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SYS_CHROOT, unix.CAP_DAC_OVERRIDE, unix.CAP_NET_ADMIN}
	}
	done := make(chan struct{})
	spawner() <- func() {
		defer close(done)
		// There may be many of these processes: use one thread for Go code, and collect no garbage.
		process, err = os.StartProcess("/proc/self/exe", []string{inside.Name}, &os.ProcAttr{
			Dir: "/", Env: []string{"GOMAXPROCS=1", "GOGC=off", "GOTRACEBACK=none"}, Files: files, Sys: sys,
		})
	}
	<-done
	return process, err
}
