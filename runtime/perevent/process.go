//go:build linux

package perevent

import (
	"syscall"

	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

// process is the handler's process for one event. It leads its own process group.
type process struct {
	pid    int
	pidfd  int // becomes readable when the process has ended
	stdout int // read end of a pipe; -1 after its end was reached
	stderr int // the same
}

// start starts a process for an event. The event is its stdin.
func (r *Runner) start(inv *runtimeapi.Invocation) (p *process, err error) {
	var opened []int // files of the child, which this process closes in any case
	defer func() {
		for _, fd := range opened {
			syscall.Close(fd)
		}
	}()
	stdin, err := memoryFile(inv.Event)
	if err != nil {
		return nil, err
	}
	opened = append(opened, stdin)
	var stdout, stderr [2]int
	if err := syscall.Pipe2(stdout[:], syscall.O_CLOEXEC); err != nil {
		return nil, err
	}
	opened = append(opened, stdout[1])
	if err := syscall.Pipe2(stderr[:], syscall.O_CLOEXEC); err != nil {
		syscall.Close(stdout[0])
		return nil, err
	}
	opened = append(opened, stderr[1])
	p = &process{pidfd: -1, stdout: stdout[0], stderr: stderr[0]}
	p.pid, err = syscall.ForkExec(r.argv[0], r.argv, &syscall.ProcAttr{
		Dir:   r.handler.Root,
		Env:   environment(r.environment, inv),
		Files: []uintptr{uintptr(stdin), uintptr(stdout[1]), uintptr(stderr[1])},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		p.close()
		return nil, err
	}
	if p.pidfd, err = openProcess(p.pid); err != nil {
		p.finish()
		return nil, err
	}
	return p, nil
}

// finish kills the whole process group, reaps its leader and returns the leader's status.
func (p *process) finish() syscall.WaitStatus {
	// Kill before the leader is reaped: after that another group could have its number.
	_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	var status syscall.WaitStatus
	for {
		if _, err := syscall.Wait4(p.pid, &status, 0, nil); err != syscall.EINTR {
			break
		}
	}
	p.close()
	// If this process is the first of its PID namespace, orphans have become its children.
	for {
		if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 && err != syscall.EINTR {
			return status
		}
	}
}

func (p *process) close() {
	closeFile(&p.stdout)
	closeFile(&p.stderr)
	closeFile(&p.pidfd)
}

func closeFile(fd *int) {
	if *fd >= 0 {
		syscall.Close(*fd)
		*fd = -1
	}
}
