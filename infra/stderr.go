package main

import (
	"context"
	"os"
	"sync/atomic"
)

// standIn puts a pipe in os.Stderr's place, for jsii writes there and cannot be told otherwise, and passes on to standard error what comes
// through. Not so once ctx has ended: a terminal interrupts jsii's process too, which dies of it with a stack trace. The function that it
// returns passes on the rest and lets nothing through from then on: jsii-runtime-go waits for its process twice, and the loser of the
// race writes "Runtime process exited abnormally: waitid: no child processes".
func standIn(ctx context.Context) (end func()) {
	stderr := os.Stderr
	out, in, err := os.Pipe()
	if err != nil { // no descriptors left: then something else will say so
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
				_, _ = stderr.Write(buffer[:n]) // there is nobody to tell
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
