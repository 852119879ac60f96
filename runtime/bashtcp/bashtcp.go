// Package bashtcp is the bootstrap in Bash alone, over /dev/tcp: no curl, no Go, no external command, and no fork per event.
// bashtcp-static is the same script with another first line, run by a static Bash in the package. What handlers may do and what becomes
// of it is in docs/handler-contract.md, the same as with rawsyscall but for what is listed there.
//
// # Two shells
//
// The one that Lambda starts (bootstrap) forks another during INIT and then waits. That other one, the worker (worker.sh), sources
// the handler, talks to the Runtime API and calls the function: the hot path is one process that forks nothing. A worker may end in any
// way: by exit, set -e, exec, kill -9, or because the first shell kills its process group just before the deadline. The first shell
// then answers for the event in hand, which it finds in a file that the worker keeps (request id, deadline), and starts another worker.
// A worker says its last word by a trap on EXIT, which a function named trap keeps before the handler's own. Without it, it was killed, or
// has become another program: a pipe that Bash closes on exec tells the first shell at once. It is in no event's way: the worker
// wakes it at most once a second, so that it looks in time for every deadline.
//
// Files that few starts and events need are sourced then: init.sh, rare.sh and fork.sh by both, watch.sh by the first shell, learn.sh by
// the worker after the first response, the library by handlers.
//
// # A stranger in the house
//
// The handler does what it likes to the shell that it shares. So commands are called by builtin, no pattern depends on its options, and nothing of
// the bootstrap lies where it would be met by accident: in a package the files' names start with a dot, and sourced by a handler they do nothing.
// What is kept of an event is in files that are used by their descriptors (tw_files): emptying /tmp or another TMPDIR are nothing to them.
// The worker is a fork, so $$ is the first shell. A function named kill gives the worker what a handler means for itself; what its programs
// send to $$ the first shell passes on.
//
// # What costs time
//
// Not commands (0.1 us to 1 us) but expansions with a pattern (3 us, `${x##*y}` 10; a word in [[ ]] twice what it takes in case),
// redirections (nine system calls), parsing (40 us per kB), calls of functions (Bash copies their bodies), lines read from a socket (a
// system call per byte, but with the static Bash), requests in several writes (Nagle), files cut and rewritten at once (ext4 flushes
// them). Hence the shape of the script: GET /next goes out before the loop is parsed; heads are read in blocks whose length is learned
// from the first, from fields that Lambda always sends, and matched as Lambda spells them; a request is one write, on one connection. 6 MB take time in proportion: each expansion of them costs some 0.05 s.
//
// A response is a file, for a shell that is to read a pipe must not write it. So that processes of an earlier event cannot write into
// another's response, an event gets new files where a process was made since the event before.
package bashtcp

import (
	"embed"
	"strings"

	"github.com/twinstart/twinstart/runtime/handlerlib"
)

//go:embed bootstrap *.sh
var scripts embed.FS

// Files are what the bootstrap puts in a package: executable files by name, in one folder.
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
