// Package bashtcp is the bootstrap in Bash alone, over /dev/tcp: no curl, no Go, no external command, and no fork
// per event. bashtcp-static is the same script with another first line; a static Bash in the package runs it.
// bashtcp keeps the contract of rawsyscall; docs/handler-contract.md has the contract and lists the differences.
//
// # Two shells
//
// Lambda starts the watching shell (bootstrap). It forks the worker (worker.sh) during INIT and then waits. The
// worker sources the handler, talks to the Runtime API and calls the function: events are handled by one process
// that does not fork. A worker may end in any way: by exit, set -e, exec, kill -9, or because the watching shell
// kills its process group just before the deadline. The watching shell then answers for the current event, which it
// finds in a file that the worker keeps (request id, deadline), and starts another worker.
//
// A worker says its last word in a trap on EXIT. A function named trap puts this trap before the handler's own. If
// there is no last word, the worker was killed or has become another program. A pipe that Bash closes on exec tells
// the watching shell at once. The watching shell does not slow events down: the worker wakes it at most once a
// second, which is often enough to be in time for every deadline.
//
// Files that few starts and events need are sourced when they are needed: init.sh, rare.sh and fork.sh by both shells,
// watch.sh by the watching shell, learn.sh by the worker after the first response, restore.sh by the first worker with
// SnapStart, the library by handlers.
//
// # The handler shares the shell
//
// The handler may do anything to the worker's shell. Therefore commands are called by `builtin`, and no pattern
// depends on the handler's options. In a package the names of these files start with a dot, and the files do
// nothing if a handler sources them. An event's data is in files that are used by their descriptors (tw_files), so
// a handler may empty /tmp or another TMPDIR. The worker is a fork, so $$ is the watching shell. A function named
// kill sends to the worker what a handler means for itself. The watching shell passes on signals that the handler's
// programs send to $$.
//
// Bash with a trap on EXIT, in a bootstrap or not, loses a SIGTERM that reaches a job in the moment after its fork:
// in 5.2, once in 70 to 400 times. A trap on TERM beside it does not help. A handler that starts a job and
// ends it at once should wait until the job has said something, or send SIGKILL.
//
// # What costs time
//
// Commands are cheap (0.1 us to 1 us). These are not:
//
//   - expansions with a pattern (3 us; `${x##*y}` 10 us), and words in [[ ]], which take twice as long as in case
//   - redirections (nine system calls)
//   - parsing (40 us per kB)
//   - calls of functions, because Bash copies their bodies
//   - lines that are read from a socket (a system call per byte, except with the static Bash)
//   - requests in several writes (Nagle)
//   - files that are emptied and rewritten at once (ext4 flushes them)
//
// For these reasons GET /next is sent before the loop is parsed, and a request is one write on one connection.
// Heads are read in blocks: the block's length is learned from the first head, from fields that Lambda always
// sends, and names of fields are compared in Lambda's spelling. Time grows with size: each expansion of 6 MB takes
// some 0.05 s.
//
// A response is a file, because a shell must not write to a pipe that it reads itself. If a process was made since
// the last event, the next event gets new files. So processes of an earlier event cannot write into a later
// response.
package bashtcp

import (
	"embed"
	"strings"

	"github.com/twinstart/twinstart/runtime/handlerlib"
)

//go:embed bootstrap *.sh
var scripts embed.FS

// Files returns the executable files that the bootstrap puts into a package: text by name, all in one folder.
func Files() map[string]string {
	files := map[string]string{".twinstart-lib": handlerlib.Script}
	entries, _ := scripts.ReadDir(".") // embedded
	for _, entry := range entries {
		text, _ := scripts.ReadFile(entry.Name())
		name, part := strings.CutSuffix(entry.Name(), ".sh")
		if part {
			name = ".twinstart-" + name
		}
		files[name] = string(text)
	}
	return files
}
