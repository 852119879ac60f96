// Rawsyscall is the bootstrap for functions in Bash. It has one thread and uses Linux system calls only. A Bash
// process, the worker, sources the handler during INIT and calls its function once per event.
//
// # A Go program that does not start the Go runtime
//
// To start Go's runtime takes 0.7 ms and reads 640 KiB of cold pages before main.main has done anything. That is
// most of the cost of a bootstrap of this size. So the linker is told to start the program at entry
// (-ldflags=-E=main.entry). entry is 20 lines of assembly: they make a stack and a g that the compiler's stack
// checks accept, and call run. No part of the runtime is running then: no heap, no scheduler, no garbage collector,
// no signal handlers. Therefore everything that run reaches, here and in the packages it uses, must follow these
// rules:
//
//   - Allocate nothing. Memory is on the stack or in package variables, which cost nothing until they are used.
//     Use append only if the capacity is known to be enough. Use no maps, channels, goroutines, escaping closures
//     or string concatenation.
//   - Need no package initialisation: the compiler must be able to lay out the value of each variable.
//   - Do not panic. A panic ends the program with SIGSEGV, because nothing can print it. Check input before it is
//     used as an index.
//
// TestNothingNeedsTheRuntime checks the first two rules. Everything else is ordinary Go: tests, fuzzers and the
// race detector run the same code under the runtime. A program that is linked without -E starts the runtime. So
// does a program that is built with a newer toolchain than the tested ones (entry_runtime_*.s). Both work, but
// start more slowly.
//
// # How an event travels
//
// The worker holds one end of a socket pair, its control channel. The worker's stderr is a pipe: the bootstrap
// copies it to the log and uses its tail as the message of an error.
//
// The event is in a file in memory (memfd), which the worker opens by its name below /proc. The event's context,
// followed by the event again as the function's argument, is in another such file, which the worker has inherited.
// They are files because Bash reads a file in blocks, but a pipe one byte per system call.
//
// The response comes through a pipe that is made for this event, so a background process that writes later cannot
// reach another response. One byte on the control channel starts the function; the function's status comes back on
// the control channel. The files of the next event are made after GET /next has been sent.
//
// docs/handler-contract.md says what a handler can rely on.
package main
