//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/lab/cgroup"
)

// starting is the first argument of this program where it waits in a control group for the word to start a candidate.
const starting = "start-in-group"

// starter is this program in a control group, in which all that it starts is too. It only starts: to become the candidate, by exec, would
// first end the threads of Go's runtime, a millisecond in which a short INIT would be over.
type starter struct {
	pid           int
	word, started *os.File
}

// launch is what a starter tells: when it started the candidate, in ns of CLOCK_MONOTONIC, and its process, or the error's number.
type launch struct{ At, PID, Errno int64 }

// startInGroup is the starter's main. The candidate becomes a child of the starter's parent.
func startInGroup(argv []string) error {
	word, started := os.NewFile(3, "word"), os.NewFile(4, "started")
	unix.CloseOnExec(3)
	unix.CloseOnExec(4)
	how := &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setpgid: true, Cloneflags: unix.CLONE_PARENT}}
	if _, err := word.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("waiting for the word: %w", err)
	}
	l := launch{At: monotonic()}
	pid, err := syscall.ForkExec(argv[0], argv, how) //nolint:gosec // the candidate that the user named
	l.PID = int64(pid)
	var errno syscall.Errno
	if errors.As(err, &errno) {
		l.Errno = int64(errno)
	}
	if err := binary.Write(started, binary.LittleEndian, l); err != nil {
		return fmt.Errorf("telling of the start: %w", err)
	}
	_, err = io.Copy(io.Discard, word) // until it is of no more use
	return err
}

// startLimited is start in a control group, which has no CPU limit until the group is given one.
func startLimited(group *cgroup.Group) func(c *candidate, address string) (*process, error) {
	return func(c *candidate, address string) (*process, error) {
		log, err := ownFolder()
		if err != nil {
			return nil, fmt.Errorf("starting %s: %w", c.name, err)
		}
		s, err := newStarter(c, address, log)
		if err == nil {
			if err = group.Join(s.pid); err == nil {
				time.Sleep(5 * time.Millisecond) // it has come to its wait by then
				var l launch
				if l, err = s.start(); err == nil {
					return &process{pid: int(l.PID), started: time.Now().Add(time.Duration(l.At - monotonic())), log: log, starter: s}, nil
				}
			}
			s.end()
		}
		log.Close()
		os.RemoveAll(filepath.Dir(log.Name()))
		return nil, fmt.Errorf("starting %s: %w", c.name, err)
	}
}

func newStarter(c *candidate, address string, log *os.File) (*starter, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	wordRead, wordWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer wordRead.Close()
	startedRead, startedWrite, err := os.Pipe()
	if err != nil {
		wordWrite.Close()
		return nil, err
	}
	defer startedWrite.Close()
	how := attributes(c, address, log)
	how.Files = append(how.Files, wordRead.Fd(), startedWrite.Fd())
	pid, err := syscall.ForkExec(self, append([]string{self, starting}, c.argv...), how)
	if err != nil {
		wordWrite.Close()
		startedRead.Close()
		return nil, err
	}
	return &starter{pid, wordWrite, startedRead}, nil
}

// start gives the word.
func (s *starter) start() (l launch, err error) {
	if _, err := s.word.Write([]byte{1}); err != nil {
		return l, err
	}
	if err := binary.Read(s.started, binary.LittleEndian, &l); err != nil {
		return l, err
	}
	if l.Errno != 0 {
		return l, fmt.Errorf("execve: %w", syscall.Errno(l.Errno))
	}
	return l, nil
}

// end ends the starter; what it has started is not its.
func (s *starter) end() {
	s.word.Close()
	s.started.Close()
	_ = unix.Kill(s.pid, unix.SIGKILL) // it may have ended
	reap(s.pid)
}

func monotonic() int64 {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // it is on every Linux
	return now.Nano()
}
