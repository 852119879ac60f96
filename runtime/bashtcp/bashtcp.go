// Package bashtcp is the bootstrap in Bash alone, over /dev/tcp: no curl, no Go, no external command and no fork, neither in INIT
// nor per event. bashtcp-static is the same script with another first line, run by a static Bash in the package.
//
// # What it does
//
// Content-Length, chunked and close-delimited answers, 1xx, header names in any case, one kept-alive connection and
// Connection: close; /init/error with a Runtime.<Reason>; function errors as JSON whatever bytes stderr held; 413 becomes
// Function.ResponseSizeTooLarge; 400 and 403 are logged; 500 ends the environment; trace id and context as environment variables.
//
// TWINSTART_ISOLATION says what an event shares with those before it:
//
//   - worker (default): the function runs in the bootstrap's own shell. Variables, options, IFS, locale, traps and the working
//     directory stay for the next event, as globals do in every managed runtime.
//   - subshell: a fork of that shell per event. What INIT set is there, what an event sets is gone.
//   - process: a new Bash per event, which sources the file again.
//
// An executable handler is a process per event in any case.
//
// # What a handler may do to the shell that it shares
//
// exit, or set -e and a command that fails, ends the event with that status: an error, or for exit 0 the response. The script is
// then started anew by exec, with INIT and all (about 1 ms, after the outcome was sent). An EXIT trap of the handler runs then,
// and only then. Options, IFS, locale, the working directory and closed file descriptors 0 to 2 are its own and kept apart from
// the loop's. exec with a command replaces the bootstrap, which Lambda reports as Runtime.ExitError: use subshell or process for
// such a handler. Names that start with tw_ are the bootstrap's.
//
// # What costs time
//
// Not commands (0.1 us) but parsing the script (40 us per kB), calls of functions (Bash copies their bodies), lines read from a
// socket (a system call per byte), requests in several writes (Nagle), files cut and rewritten at once (ext4 flushes them), and
// IFS= before a read. Hence the shape of the script: GET /next goes out before the loop is parsed; heads are read in blocks whose
// length is learned from the first, from fields that Lambda always sends; a request is one write, on one connection.
//
// # What Bash cannot do
//
//   - Pass on NUL bytes. An event that holds some is refused with Runtime.UnsupportedEvent, after a wait of 2 s, because Bash waits
//     for as many others (more than 16 of them: until Lambda's time-out); Lambda's own events are JSON and have none. A response that
//     holds some becomes Function.UnsupportedResponse.
//   - Interrupt a function at its deadline: nothing in a single shell can. Lambda itself ends such an environment at its time-out.
//     What the handler had written to stderr until then is lost.
//   - Show stderr in the log before the handler has returned: without a fork it is collected in a file.
//   - Keep what was written before, when a handler opens /dev/stdout or /dev/stderr by name: that empties the file. Use >&2.
//   - Serve several events at once (AWS_LAMBDA_MAX_CONCURRENCY), stream a response, register for SIGTERM.
package bashtcp

import (
	_ "embed"

	"github.com/twinstart/twinstart/runtime/handlerlib"
)

var (
	//go:embed bootstrap
	bootstrap string
	//go:embed twinstart-worker.sh
	worker string
	//go:embed twinstart-rare.sh
	rare string
	//go:embed twinstart-watch.sh
	watch string
)

// Files are what the bootstrap puts in a package: executable files by name, in one folder.
func Files() map[string]string {
	return map[string]string{
		"bootstrap":           bootstrap,
		"twinstart-worker.sh": worker,
		"twinstart-rare.sh":   rare,
		"twinstart-watch.sh":  watch,
		"twinstart-lib.sh":    handlerlib.Script,
	}
}
