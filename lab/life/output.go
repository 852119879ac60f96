package life

import (
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// output reads what the processes of an environment write, into its log.
type output struct {
	pipe *os.File
	raw  syscall.RawConn
	log  io.Writer
	done chan struct{}

	mu     sync.Mutex
	buffer [32 << 10]byte
}

// openOutput returns also the end that the processes write to.
func openOutput(log io.Writer) (o *output, write *os.File, err error) {
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
	o = &output{pipe: pipe, raw: raw, log: log, done: make(chan struct{})}
	go o.follow()
	return o, write, nil
}

// follow reads as the processes write, for a full pipe would stop them.
func (o *output) follow() {
	defer close(o.done)
	_ = o.raw.Read(func(fd uintptr) bool { return o.read(fd) })
}

// read takes what is there, and says whether that was the end.
func (o *output) read(fd uintptr) (end bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		n, again := readNow(fd, o.buffer[:])
		if n == 0 {
			return !again
		}
		_, _ = o.log.Write(o.buffer[:n]) // it keeps its own failures
	}
}

// drain takes what was written before now: a bootstrap that asks for its next event has written all of this one's output.
func (o *output) drain() {
	_ = o.raw.Control(func(fd uintptr) { o.read(fd) })
}

// close waits for the rest; whoever writes has ended.
func (o *output) close() {
	<-o.done
	o.pipe.Close()
}
