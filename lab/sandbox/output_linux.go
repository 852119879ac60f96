package sandbox

import (
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// output copies what the processes of an environment write to its log.
type output struct {
	pipe *os.File
	raw  syscall.RawConn
	log  io.Writer
	done chan struct{}

	mu     sync.Mutex
	buffer [32 << 10]byte
}

// openOutput returns an output, and the end of its pipe that the processes write to.
func openOutput() (o *output, write *os.File, err error) {
	pipe, write, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("opening a log: %w", err)
	}
	raw, err := pipe.SyscallConn()
	if err != nil {
		pipe.Close()
		write.Close()
		return nil, nil, fmt.Errorf("opening a log: %w", err)
	}
	o = &output{pipe: pipe, raw: raw, log: io.Discard, done: make(chan struct{})}
	go o.follow()
	return o, write, nil
}

// to sets the log. Until then output is discarded.
func (o *output) to(log io.Writer) {
	o.mu.Lock()
	o.log = log
	o.mu.Unlock()
}

// follow reads while the processes write, because a full pipe would block them.
func (o *output) follow() {
	defer close(o.done)
	_ = o.raw.Read(func(fd uintptr) bool { return o.read(fd) })
}

// read copies what is available, and reports whether that was the end.
func (o *output) read(fd uintptr) (end bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		n, again := readNow(fd, o.buffer[:])
		if n == 0 {
			return !again
		}
		_, _ = o.log.Write(o.buffer[:n]) // the log stores its own error
	}
}

// drain copies what was written so far.
func (o *output) drain() {
	_ = o.raw.Control(func(fd uintptr) { o.read(fd) })
}

// close waits for the rest of the output. The processes that write must have ended.
func (o *output) close() {
	<-o.done
	o.pipe.Close()
}

// readNow reads from a descriptor without blocking. again means that nothing has arrived yet; n = 0 without again is
// the end.
func readNow(fd uintptr, p []byte) (n int, again bool) {
	for {
		n, err := syscall.Read(int(fd), p)
		if err != syscall.EINTR {
			return max(n, 0), err == syscall.EAGAIN
		}
	}
}
