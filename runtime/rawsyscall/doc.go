// Rawsyscall is the bootstrap for functions in Bash: one thread, Linux system calls only, a Bash worker that sources the handler during
// INIT and calls its function once per event.
//
// # A Go program that does not start the Go runtime
//
// Starting Go's runtime takes 0.7 ms and 640 KiB of cold pages before main.main has done anything, most of what a bootstrap of this
// size costs. So the linker is told to start the program at entry (-ldflags=-E=main.entry), 20 lines of assembly that make a
// stack and a g that stack checks accept, and call run. Nothing of the runtime is running then: no heap, no scheduler, no collector, no
// signal handlers. The rules that follow hold for everything reachable from run, here and in the packages it uses:
//
//   - Nothing is allocated. Memory is on the stack or in package variables, which cost nothing until they are touched; append only
//     where the capacity is known to do; no maps, no channels, no goroutines, no closures that escape, no string concatenation.
//   - No package initialisation runs: variables have values that the compiler lays out.
//   - A panic is the end (SIGSEGV, for there is nobody to print it). Input is checked before it is an index.
//
// TestNothingNeedsTheRuntime holds the first two. Everything else is ordinary Go: the tests, the fuzzers and the race detector run
// the same code under the runtime. A program linked without -E starts the runtime, and so does one that a toolchain later than those
// tested makes (entry_runtime_*.s): both work, only slower.
//
// # How an event travels
//
// The worker has one end of a socket pair, its control channel; its stderr is a pipe that is copied to the log, and whose tail is
// the message of an error. An event is in a file in memory (memfd), opened by the worker by its name below /proc. Its context, with
// the event once more as the argument, is in another one, which the worker has inherited: Bash reads a file in blocks, but a pipe a
// byte per system call. The response comes through a pipe made for this event, so that nothing a background process writes later
// reaches another response. One byte on the control channel starts the function, its status comes back on it. The files of the next
// event are made once GET /next has been sent.
//
// What a handler sees is docs/handler-contract.md.
package main
