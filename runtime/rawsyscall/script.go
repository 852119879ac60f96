package main

// These constants are the only code that Bash is given. $1 is the handler's file, $2 its function; $3 and $4 come
// from withheld.
//
// The scripts share a shell with the handler. So they call builtins by `builtin` (except exec, whose redirections
// would then not stay), use only names that start with __twinstart, and work under the handler's set -e, -u and -C.
// They never fork. `declare` with an attribute tests for a function without printing it, so Bash never takes the
// function's name for a command.
const (
	// restore undoes the changes that prepareShell made to the environment.
	restore = `[[ ! $3 ]] || builtin export LD_LIBRARY_PATH="$3"
[[ ! $4 ]] || builtin export -n SHELL
builtin set --
`

	// source checks that the handler's file was sourced without an error and has defined the function.
	source = `
__twinstart[3]=$?
[[ ${__twinstart[3]} == 0 ]] || builtin exit "${__twinstart[3]}"
builtin declare -f +t -- "${__twinstart[1]}" || {
	builtin printf '%s defines no function %s\n' "${__twinstart[0]}" "${__twinstart[1]}" >&2
	builtin exit 127
}
`

	// begin sources the file in a worker.
	begin = `__twinstart=("$1" "$2") __twinstart_function=$2 __twinstart_in=$5 __twinstart_out=$6
` + restore + `. "${__twinstart[0]}"` + source + `
__twinstart+=("$PWD" "${OLDPWD-}")
`

	// serve is the main loop of a worker.
	//
	// The worker's stdin is empty and its stdout is the log, except while a function runs, because only a
	// function's output is a response. exec switches them. Redirections on the call would make Bash save the old
	// ones on descriptors 10 and 11, where a handler may have its own files. $5 and $6 name the event and the
	// response. Descriptor 253 is the control channel: a byte there says that there is an event, and the event's
	// context is on descriptor 252. Before "ready" the worker sends the traps on EXIT and TERM that the handler's
	// file has set. Until its first event the worker's directory is /, so that the package's file system can be
	// unmounted as soon as the bootstrap has ended.
	//
	// mapfile reads a file in blocks. read would take a system call per byte of a pipe, and loop over the bytes of
	// any file. mapfile needs 4 system calls for a descriptor and 14 for a name. writeContext defines the fields. To
	// assign an exported variable costs half as much as export, and it stays exported. If the set of fields has
	// changed since the last event, or the handler has set one of the variables itself, all are exported or unset
	// again. If the handler has replaced the context file, the first field is neither "same" nor "changed", and
	// the worker says so.
	serve = begin + `builtin cd /
{ builtin trap -p EXIT TERM; builtin printf 'ready\n'; } >&253
while builtin read -r -N 1 -u 253 __twinstart_go; do
	builtin mapfile -d '' -t -n 9 -u 252 __twinstart_event
	LAMBDA_RUNTIME_AWS_REQUEST_ID=${__twinstart_event[1]-} LAMBDA_RUNTIME_DEADLINE_MS=${__twinstart_event[2]-} \
	LAMBDA_RUNTIME_INVOKED_FUNCTION_ARN=${__twinstart_event[3]-} \
	LAMBDA_RUNTIME_TRACE_ID=${__twinstart_event[4]-} _X_AMZN_TRACE_ID=${__twinstart_event[4]-}
	if [[ ${__twinstart_event-}${LAMBDA_RUNTIME_CLIENT_CONTEXT+x}` +
		`${LAMBDA_RUNTIME_COGNITO_IDENTITY+x}${LAMBDA_RUNTIME_AWS_TENANT_ID+x} != same ]]; then
		[[ ${__twinstart_event-} == same || ${__twinstart_event-} == changed ]] || {
			builtin printf 'lost\n' >&253
			builtin exit 125
		}
		builtin export LAMBDA_RUNTIME_AWS_REQUEST_ID LAMBDA_RUNTIME_DEADLINE_MS LAMBDA_RUNTIME_INVOKED_FUNCTION_ARN \
			LAMBDA_RUNTIME_TRACE_ID _X_AMZN_TRACE_ID LAMBDA_RUNTIME_CLIENT_CONTEXT="${__twinstart_event[5]}" \
			LAMBDA_RUNTIME_COGNITO_IDENTITY="${__twinstart_event[6]}" LAMBDA_RUNTIME_AWS_TENANT_ID="${__twinstart_event[7]}"
		if [[ ${__twinstart[4]} ]]; then
			builtin cd "${__twinstart[4]}"
			OLDPWD=${__twinstart[5]} __twinstart[4]=
			[[ $OLDPWD ]] || builtin unset OLDPWD
		fi
		[[ ${__twinstart_event[4]} ]] || builtin unset LAMBDA_RUNTIME_TRACE_ID _X_AMZN_TRACE_ID
		[[ ${__twinstart_event[5]} ]] || builtin unset LAMBDA_RUNTIME_CLIENT_CONTEXT
		[[ ${__twinstart_event[6]} ]] || builtin unset LAMBDA_RUNTIME_COGNITO_IDENTITY
		[[ ${__twinstart_event[7]} ]] || builtin unset LAMBDA_RUNTIME_AWS_TENANT_ID
	fi
`
	inWorker = `	exec <"$__twinstart_in" >"$__twinstart_out" || builtin exit 126
	"$__twinstart_function" "${__twinstart_event[8]}"
`
	inSubshell = `	exec <"$__twinstart_in" >"$__twinstart_out" || builtin exit 126
	("$__twinstart_function" "${__twinstart_event[8]}")
`
	reportStatus = `	builtin echo "$?" >&253
	exec </dev/null >&2
done
builtin exit 125
`

	// hook calls a hook if the file defines it.
	hook = `if builtin declare -f +t -- "$__twinstart_hook"; then
	"$__twinstart_hook"
	__twinstart[3]=$?
	[[ ${__twinstart[3]} == 0 ]] || builtin exit "${__twinstart[3]}"
fi
`

	// hooks follows begin if a snapshot of the worker is made. Before each hook the worker says "hook" and waits.
	// Two restores of one snapshot would go on with the same random numbers, so RANDOM gets another seed.
	hooks = `for __twinstart_hook in before_snapshot after_restore; do
{ builtin trap -p EXIT TERM; builtin printf 'hook\n'; } >&253
builtin read -r -N 1 -u 253 __twinstart_go || builtin exit 125
[[ ! ${SRANDOM-} ]] || RANDOM=$SRANDOM
` + hook + `done
`

	// hookScript runs one hook in a new process.
	hookScript = `__twinstart=("$1" "$2") __twinstart_hook=$5
` + restore + `. "${__twinstart[0]}"` + source + hook + "\x00"

	workerScript   = serve + inWorker + reportStatus + "\x00"
	subshellScript = serve + inSubshell + reportStatus + "\x00"

	// processScript handles one event. The event is its stdin, and the context is in its environment. The argument
	// is read through a second open file, so that stdin stays at its start.
	processScript = `builtin mapfile -d '' -t -n 1 __twinstart </proc/self/fd/0
__twinstart=("$1" "$2" "${__twinstart-}")
` + restore + `. "${__twinstart[0]}" </dev/null >&2` + source + `"${__twinstart[1]}" "${__twinstart[2]}"
` + "\x00"
)
