package main

// What Bash is ever given as code is here, and constant. $1 is the handler's file, $2 its function, $3 and $4 what is withheld.
//
// These scripts share a shell with the handler, so they call builtins by `builtin` (but exec, whose files would not stay), use no
// name but __twinstart*, and hold under the handler's set -e, -u and -C. Nothing in them forks. `declare` with an attribute tests
// for a function without printing it, and before Bash could take its name for a command.
const (
	// restore gives the environment back what it was started without.
	restore = `[[ ! $3 ]] || builtin export LD_LIBRARY_PATH="$3"
[[ ! $4 ]] || builtin export -n SHELL
builtin set --
`

	// source runs the handler's file.
	source = `
__twinstart[3]=$?
[[ ${__twinstart[3]} == 0 ]] || builtin exit "${__twinstart[3]}"
builtin declare -f +t -- "${__twinstart[1]}" || {
	builtin printf '%s defines no function %s\n' "${__twinstart[0]}" "${__twinstart[1]}" >&2
	builtin exit 127
}
`

	// serve is the life of a worker. Its stdin is empty and its stdout the log, except while a function runs: only a function's
	// output is a response. They are changed by exec, for in redirections of the call Bash would keep the old ones on 10 and 11, where
	// a handler may put files of its own. $5 and $6 name the event and the response. Descriptor 253 is the control channel: a byte there
	// says that there is an event, whose context is on descriptor 252. The traps on EXIT and TERM that the handler's file has set come
	// before "ready". Until its first event a worker is in no folder of the package, so that its file system can be unmounted as soon as
	// the bootstrap has ended.
	//
	// mapfile reads a file in blocks, where read takes a system call per byte of a pipe, and loops per byte of anything. From a
	// descriptor it needs 4 system calls, from a name 14. The fields are those of writeContext. Assignments keep variables exported that
	// are, at half the price of export; where the set of fields has changed since the last event, or the handler has made variables of its
	// own of them, all are set or unset anew. What is no context, because the handler has put another file there, comes that way, too.
	serve = `__twinstart=("$1" "$2") __twinstart_function=$2 __twinstart_in=$5 __twinstart_out=$6
` + restore + `. "${__twinstart[0]}"` + source + `
__twinstart+=("$PWD" "${OLDPWD-}")
builtin cd /
{ builtin trap -p EXIT TERM; builtin printf 'ready\n'; } >&253
while builtin read -r -N 1 -u 253 __twinstart_go; do
	builtin mapfile -d '' -t -n 9 -u 252 __twinstart_event
	LAMBDA_RUNTIME_AWS_REQUEST_ID=${__twinstart_event[1]-} LAMBDA_RUNTIME_DEADLINE_MS=${__twinstart_event[2]-} \
	LAMBDA_RUNTIME_INVOKED_FUNCTION_ARN=${__twinstart_event[3]-} \
	LAMBDA_RUNTIME_TRACE_ID=${__twinstart_event[4]-} _X_AMZN_TRACE_ID=${__twinstart_event[4]-}
	if [[ ${__twinstart_event-}${LAMBDA_RUNTIME_CLIENT_CONTEXT+x}${LAMBDA_RUNTIME_COGNITO_IDENTITY+x}${LAMBDA_RUNTIME_AWS_TENANT_ID+x} != same ]]; then
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
	workerScript   = serve + inWorker + reportStatus + "\x00"
	subshellScript = serve + inSubshell + reportStatus + "\x00"

	// processScript handles one event, which is its stdin, in an environment that holds its context. The argument is read from the
	// same file opened once more, so that stdin stays at its start.
	processScript = `builtin mapfile -d '' -t -n 1 __twinstart </proc/self/fd/0
__twinstart=("$1" "$2" "${__twinstart-}")
` + restore + `. "${__twinstart[0]}" </dev/null >&2` + source + `"${__twinstart[1]}" "${__twinstart[2]}"
` + "\x00"
)
