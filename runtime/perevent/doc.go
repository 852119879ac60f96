// Package perevent runs a handler as one process per event: `bash -c` for file.function, else the executable
// itself. The Go bootstraps nethttp, rawtcp and lambdago use it; each has its own client of the Runtime API.
//
// Every event costs a fork, an exec and the sourcing of the file (1 to 1.5 ms). In return no event can see what
// another one left behind. INIT only checks that the handler's file exists. If the file does not define the
// function, or fails at its top level, each invocation fails with that error, and INIT does not.
//
// These bootstraps are baselines and leave out parts of the Runtime API: response streaming, several invocations at
// once (AWS_LAMBDA_MAX_CONCURRENCY), and the extension that would receive SIGTERM.
//
// The package uses system calls directly (memfd, pidfd, ppoll), on one thread, without goroutines. It does not import
// os, os/exec, net or fmt, because each page of a bootstrap that is read takes time in a cold start. It needs Linux 5.4
// or later.
package perevent
