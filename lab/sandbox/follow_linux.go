package sandbox

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/sandbox/inside"
)

// follow handles the messages of process 1 until it ends.
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
			status := syscall.WaitStatus(m.Status)
			e.Exited <- Exit{At: fromMonotonic(m.At), Status: status, MaxRSSKiB: m.MaxRSSKiB, Extension: m.Extension}
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

// One moment on two clocks, to convert the times of process 1, which uses CLOCK_MONOTONIC.
var baseTime, baseMonotonic = time.Now(), inside.Monotonic()

func fromMonotonic(ns int64) time.Time { return baseTime.Add(time.Duration(ns - baseMonotonic)) }
