package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/sandbox/inside"
	"github.com/twinstart/twinstart/lab/usage"
)

// Environment is an execution environment: process 1 and all that it has started.
type Environment struct {
	// Started and Exited receive one message about the bootstrap for each release.
	Started chan Start
	Exited  chan Exit

	process   *os.Process
	control   *net.UnixConn
	output    *output
	listeners []net.Listener
	ready     chan error
	stopped   chan struct{}
	gone      chan struct{}
}

// Begin starts process 1 of an environment and has it set up. The environment's standard output and error go to log.
// Begin returns at once; Ready waits until the environment is set up.
func Begin(spec Spec, log io.Writer) (*Environment, error) {
	e, err := Spawn(spec.Unprivileged, len(spec.Listen) > 0, nil)
	if err != nil {
		return nil, err
	}
	if err := e.SetUp(spec, log); err != nil {
		e.Kill()
		return nil, err
	}
	return e, nil
}

// SetUp says what environment a process that was started is to become, and where its output goes.
func (e *Environment) SetUp(spec Spec, log io.Writer) error {
	e.output.to(log)
	text, err := json.Marshal(spec)
	if err == nil {
		_, err = e.control.Write(text)
	}
	if err != nil {
		return fmt.Errorf("%w: starting an execution environment: %w", ErrBroken, err)
	}
	return nil
}

// Spawn starts process 1 of an environment that is still to be described. It writes 0 to the control files in groups,
// once it runs: what this program needs to start is not the function's.
func Spawn(unprivileged, ownNetwork bool, groups []string) (*Environment, error) {
	output, log, err := openOutput()
	if err != nil {
		return nil, err
	}
	defer log.Close()
	e := &Environment{output: output, ready: make(chan error, 1), stopped: make(chan struct{}, 1), gone: make(chan struct{}),
		Started: make(chan Start, 16), Exited: make(chan Exit, 16)}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		ours, theirs := os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control")
		defer theirs.Close()
		var control net.Conn
		if control, err = net.FileConn(ours); err == nil {
			e.control = control.(*net.UnixConn) //nolint:forcetypeassert // of its family
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

// PID returns the process ID of process 1 on the host.
func (e *Environment) PID() int { return e.process.Pid }

// Ready waits until the environment is set up and process 1 is blocked.
func (e *Environment) Ready() error { return <-e.ready }

// Drain reads what was written so far. When a bootstrap asks for its next event, it has written all output of the
// current one.
func (e *Environment) Drain() { e.output.drain() }

// Gone returns a channel that is closed when process 1, and so the whole environment, has ended, and all it has written
// is in the log.
func (e *Environment) Gone() <-chan struct{} { return e.gone }

// Tell tells process 1 to do something, such as inside.Release.
func (e *Environment) Tell(what byte) error {
	if _, err := e.control.Write([]byte{what}); err != nil {
		return fmt.Errorf("telling process 1 of an execution environment: %w", err)
	}
	return nil
}

// Stop kills the bootstrap and all that it has started. The environment can be used for another Release.
func (e *Environment) Stop() error {
	if err := e.Tell(inside.Stop); err != nil {
		return err
	}
	select {
	case <-e.stopped:
	case <-e.gone:
		return errors.New("stopping the bootstrap: the execution environment is gone")
	}
	for { // discard messages about the stopped bootstrap
		select {
		case <-e.Started:
		case <-e.Exited:
		default:
			return nil
		}
	}
}

// Kill ends the environment. Gone tells when it has ended.
func (e *Environment) Kill() { _ = e.process.Kill() } // it may have ended

// Root returns the host's path of the environment's root folder.
func (e *Environment) Root() string { return "/proc/" + strconv.Itoa(e.process.Pid) + "/root" }

// Listeners returns the listeners for Spec.Listen. They exist when the environment is ready.
func (e *Environment) Listeners() []net.Listener { return e.listeners }

func (e *Environment) follow() {
	ready := false
	for text, rights := make([]byte, 8<<10), make([]byte, 1<<10); ; {
		var m inside.Message
		n, r, _, _, err := e.control.ReadMsgUnix(text, rights)
		if err != nil || json.Unmarshal(text[:n], &m) != nil {
			break
		}
		switch m.Kind {
		case inside.MsgReady:
			ready = true
			e.listeners, err = received(rights[:r])
			e.ready <- err
		case inside.MsgBroken:
			ready = true
			e.ready <- fmt.Errorf("setting up an execution environment: %s", m.Error)
		case inside.MsgStarted:
			e.Started <- Start{At: fromMonotonic(m.At)}
		case inside.MsgUnstarted:
			err := error(&os.PathError{Op: "fork/exec", Path: m.Error, Err: syscall.Errno(m.Status)})
			if inside.Passing(syscall.Errno(m.Status)) {
				err = fmt.Errorf("%w: %w", ErrBroken, err)
			}
			e.Started <- Start{At: fromMonotonic(m.At), Err: err}
		case inside.MsgExited:
			e.Exited <- Exit{At: fromMonotonic(m.At), Status: syscall.WaitStatus(m.Status), MaxRSSKiB: m.MaxRSSKiB, Extension: m.Extension}
		case inside.MsgStopped:
			e.stopped <- struct{}{}
		}
	}
	state, _ := e.process.Wait()
	e.control.Close()
	e.output.close()
	if !ready {
		e.ready <- fmt.Errorf("%w: its first process ended early: %v", ErrBroken, state)
	}
	close(e.gone)
}

// received returns the listeners that came with a message.
func received(rights []byte) (all []net.Listener, err error) {
	messages, err := unix.ParseSocketControlMessage(rights)
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			return nil, err
		}
		for _, fd := range fds {
			file := os.NewFile(uintptr(fd), "listener")
			l, err := net.FileListener(file)
			file.Close()
			if err != nil {
				return nil, err
			}
			all = append(all, l)
		}
	}
	return all, err
}

// MemoryHighWaterKiB returns the sum of VmHWM over the environment's present processes, except process 1. Without a
// control group that is all that is known of memory.
func (e *Environment) MemoryHighWaterKiB() (kib int64) {
	for pid := range usage.Tree(e.process.Pid) {
		text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
		if _, peak, found := strings.Cut(string(text), "VmHWM:"); found && pid != e.process.Pid {
			n, _ := strconv.ParseInt(strings.Fields(peak)[0], 10, 64)
			kib += n
		}
	}
	return kib
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

// spawn starts process 1. PR_SET_PDEATHSIG ends every environment together with the lab. It acts when the thread
// that forked ends, so the spawner forks.
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

// This is one moment on two clocks. It converts the times of process 1, which uses CLOCK_MONOTONIC.
var (
	baseTime      = time.Now()
	baseMonotonic = monotonic()
)

func monotonic() int64 {
	var now unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return now.Nano()
}

func fromMonotonic(ns int64) time.Time { return baseTime.Add(time.Duration(ns - baseMonotonic)) }
