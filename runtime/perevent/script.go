//go:build linux

package perevent

// shell runs the functions. provided.al2023 has Bash at this path; an image without a base brings its own.
const shell = "/bin/bash"

// script is the only code that Bash is given. $1 is the file, $2 the function. The event is on fd 0. It is read
// through a second open file, so that stdin stays at its start.
//
// It uses builtins only, because an image may contain no programs and every fork costs 0.3 ms. mapfile reads a
// seekable file in blocks, twice as fast as read -d "" (22 ms against 57 ms for 6.8 MB). Both stop at a NUL byte,
// which no Bash variable can hold. While the file is sourced, stdin is empty, there are no positional
// parameters, and the locale is the environment's. If the name is not a function, declare with an attribute fails
// without output, so Bash never takes the name for a command.
const script = `mapfile -d '' -t -n 1 __twinstart </proc/self/fd/0
__twinstart=("$1" "$2" "${__twinstart-}")
shift 2
. "${__twinstart[0]}" </dev/null || exit
declare -f +t -- "${__twinstart[1]}" || {
	printf '%s defines no function %s\n' "${__twinstart[0]}" "${__twinstart[1]}" >&2
	exit 127
}
"${__twinstart[1]}" "${__twinstart[2]}"`

// hookScript runs the function $2 of the file $1, if the file defines it.
const hookScript = `__twinstart=("$1" "$2")
shift 2
exec >&2
. "${__twinstart[0]}" || exit
! declare -f +t -- "${__twinstart[1]}" || "${__twinstart[1]}"`

// argv is the command line of every event.
func (h *Handler) argv() []string {
	if h.Function == "" {
		return []string{h.File}
	}
	return []string{shell, "-c", script, "bash", h.File, h.Function}
}
