// Package phases writes the line of JSON that TWINSTART_PHASES=1 adds to the log for INIT and for each event.
// docs/handler-contract.md has its format. If phases are off, each call only tests a variable. Nothing here needs Go's
// runtime, because rawsyscall has none.
package phases
