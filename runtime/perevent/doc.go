// Package perevent runs a handler as one process per event: `bash -c` for file.function, else the executable itself. It is the
// design of the Go bootstraps nethttp, rawtcp and lambdago; each brings its own way to talk to the Runtime API.
//
// What that costs and what it gives: every event pays a fork, an exec and the sourcing of the file (1 to 1.5 ms), and no event can
// see what another left behind. INIT only checks that the handler's file is there. A function missing from the file, or a
// file that fails at its top, is therefore the error of each invocation and not of INIT.
//
// Of the Runtime API these bootstraps leave out, as the baselines that they are: response streaming, several invocations at once
// (AWS_LAMBDA_MAX_CONCURRENCY), and the extension that would get SIGTERM.
//
// The package uses system calls directly (memfd, pidfd, ppoll) on one thread, with no goroutines, and imports none of os,
// os/exec, net and fmt: every page of a bootstrap that is read is time in a cold start. Linux 5.4 or later.
package perevent
