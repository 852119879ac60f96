package main

import (
	"context"
	"os"
	"sync/atomic"
)

// standIn replaces os.Stderr, to which jsii writes, by a pipe, and copies the pipe to standard error until ctx
// ends. A terminal also interrupts jsii's process, which then writes a stack trace. end copies the rest and then
// nothing more: jsii-runtime-go waits for its process twice, and the second wait reports "Runtime process exited
// abnormally: waitid: no child processes".
func standIn(ctx context.Context) (end func()) {
	stderr := os.Stderr
	out, in, err := os.Pipe()
	if err != nil { // no descriptors are left, and something else will report that
		return func() {}
	}
	os.Stderr = in
	var interrupted atomic.Bool
	stop := context.AfterFunc(ctx, func() { interrupted.Store(true) })
	passed := make(chan struct{})
	go func() {
		defer close(passed)
		buffer := make([]byte, 32<<10)
		for {
			n, err := out.Read(buffer)
			if !interrupted.Load() {
				_, _ = stderr.Write(buffer[:n]) // an error cannot be reported anywhere
			}
			if err != nil {
				return
			}
		}
	}()
	return func() {
		in.Close()
		<-passed
		stop()
		out.Close()
	}
}
