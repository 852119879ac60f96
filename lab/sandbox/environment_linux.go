package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
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
	Started <-chan Start
	Exited  <-chan Exit

	process   *os.Process
	control   *os.File
	status    *os.File
	handOver  *os.File // receives the listeners; nil if Spec.Listen is empty
	listen    int      // number of addresses in Spec.Listen
	listeners []net.Listener
	ready     chan error
	stopped   chan struct{}
	gone      chan struct{}
	started   chan Start
	exited    chan Exit
	killOnce  sync.Once
}

// Begin starts process 1 of an environment and has it set up. The environment's standard output and error go to log.
// Begin returns at once; Ready waits until the environment is set up.
func Begin(spec Spec, log *os.File) (*Environment, error) {
	e, err := Spawn(spec.Unprivileged, len(spec.Listen) > 0, nil, log)
	if err != nil {
		return nil, err
	}
	if err := e.SetUp(spec); err != nil {
		e.Kill()
		return nil, err
	}
	return e, nil
}

// SetUp says what environment a process that was started is to become.
func (e *Environment) SetUp(spec Spec) error {
	e.listen = len(spec.Listen)
	if err := json.NewEncoder(e.control).Encode(spec); err != nil {
		return fmt.Errorf("%w: starting an execution environment: %w", ErrBroken, err)
	}
	return nil
}

// Spawn starts process 1 of an environment that is still to be described. It writes 0 to the control files in groups, once
// it runs: what this program needs to start is not the function's.
func Spawn(unprivileged, ownNetwork bool, groups []string, log *os.File) (*Environment, error) {
	controlRead, controlWrite, err := os.Pipe()
	statusRead, statusWrite, statusErr := os.Pipe()
	files, flags := []*os.File{nil, log, log, controlRead, statusWrite}, uintptr(0)
	var ours, theirs *os.File
	var socketErr error
	if ownNetwork {
		ours, theirs, socketErr = handOver()
		files, flags = append(files, theirs), syscall.CLONE_NEWNET
	}
	var process *os.Process
	if err = cmp.Or(err, statusErr, socketErr); err == nil {
		process, err = spawn(unprivileged, flags, files)
	}
	closeAll(controlRead, statusWrite, theirs)
	if err != nil {
		closeAll(controlWrite, statusRead, ours)
		return nil, fmt.Errorf("starting an execution environment: %w", err)
	}
	e := &Environment{
		process: process, control: controlWrite, status: statusRead, handOver: ours,
		ready: make(chan error, 1), stopped: make(chan struct{}, 1), gone: make(chan struct{}),
		started: make(chan Start, 16), exited: make(chan Exit, 16),
	}
	e.Started, e.Exited = e.started, e.exited
	go e.follow()
	_ = json.NewEncoder(e.control).Encode(groups) // if it has ended, SetUp fails
	return e, nil
}

// PID returns the process ID of process 1 on the host.
func (e *Environment) PID() int { return e.process.Pid }

// Ready waits until the environment is set up and process 1 is blocked.
func (e *Environment) Ready() error { return <-e.ready }

// Gone returns a channel that is closed when process 1, and so the whole environment, has ended.
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
		case <-e.started:
		case <-e.exited:
		default:
			return nil
		}
	}
}

// Kill ends the environment. Gone tells when it has ended.
func (e *Environment) Kill() {
	e.killOnce.Do(func() {
		_ = e.process.Kill() // it may have ended
		e.control.Close()
	})
}

// Root returns the host's path of the environment's root folder.
func (e *Environment) Root() string { return "/proc/" + strconv.Itoa(e.process.Pid) + "/root" }

// closeAll closes files. Files may be nil.
func closeAll(files ...*os.File) {
	for _, f := range files {
		f.Close() // returns an error if f is nil
	}
}

// Listeners returns the listeners for Spec.Listen. They exist when the environment is ready.
func (e *Environment) Listeners() []net.Listener { return e.listeners }

func (e *Environment) follow() {
	ready := false
	for told := json.NewDecoder(e.status); ; {
		var m inside.Message
		if told.Decode(&m) != nil {
			break
		}
		switch m.Kind {
		case inside.MsgReady:
			ready = true
			var err error
			if e.handOver != nil {
				e.listeners, err = takeOver(e.handOver, e.listen)
			}
			e.ready <- err
		case inside.MsgBroken:
			ready = true
			e.ready <- fmt.Errorf("setting up an execution environment: %s", m.Error)
		case inside.MsgStarted:
			e.started <- Start{At: fromMonotonic(m.At)}
		case inside.MsgUnstarted:
			err := error(&os.PathError{Op: "fork/exec", Path: m.Error, Err: syscall.Errno(m.Status)})
			if inside.Passing(syscall.Errno(m.Status)) {
				err = fmt.Errorf("%w: %w", ErrBroken, err)
			}
			e.started <- Start{At: fromMonotonic(m.At), Err: err}
		case inside.MsgExited:
			e.exited <- Exit{At: fromMonotonic(m.At), Status: syscall.WaitStatus(m.Status), MaxRSSKiB: m.MaxRSSKiB, Extension: m.Extension}
		case inside.MsgStopped:
			e.stopped <- struct{}{}
		}
	}
	state, _ := e.process.Wait()
	closeAll(e.status, e.handOver)
	if !ready {
		e.ready <- fmt.Errorf("%w: its first process ended early: %v", ErrBroken, state)
	}
	close(e.gone)
}

// MemoryHighWaterKiB returns the sum of VmHWM over the environment's present processes, except process 1. Without a
// control group that is all that is known of memory.
func (e *Environment) MemoryHighWaterKiB() (kib int64) {
	for pid := range usage.Tree(e.process.Pid) {
		if pid != e.process.Pid {
			text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
			kib += memoryHighWater(string(text))
		}
	}
	return kib
}

// memoryHighWater returns VmHWM of a process in KiB. status is the text of /proc/PID/status.
func memoryHighWater(status string) (kib int64) {
	for line := range strings.Lines(status) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib
		}
	}
	return 0
}

var (
	spawner     = make(chan func())
	spawnerOnce sync.Once
)

// spawn starts process 1. PR_SET_PDEATHSIG ends every environment together with the lab. It acts when the thread
// that forked ends, so spawn forks from a thread that lives as long as the lab.
func spawn(unprivileged bool, flags uintptr, files []*os.File) (process *os.Process, err error) {
	spawnerOnce.Do(func() {
		go func() {
			runtime.LockOSThread()
			for f := range spawner {
				f()
			}
		}()
	})
	sys := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS | flags,
		Pdeathsig:  syscall.SIGKILL,
		Setsid:     true, // Ctrl-C must only reach the lab
	}
	if unprivileged {
		sys.Cloneflags |= syscall.CLONE_NEWUSER
		sys.UidMappings = []syscall.SysProcIDMap{{ContainerID: UID, HostID: os.Geteuid(), Size: 1}}
		sys.GidMappings = []syscall.SysProcIDMap{{ContainerID: GID, HostID: os.Getegid(), Size: 1}}
		sys.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SYS_CHROOT, unix.CAP_DAC_OVERRIDE, unix.CAP_NET_ADMIN}
	}
	done := make(chan struct{})
	spawner <- func() {
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
