# shellcheck shell=bash
# Functions of bashtcp for isolation by process, and for the end of an environment.
# shellcheck disable=SC2016,SC2034,SC2154,SC2261 # the variables of the other files

[[ $tw_source == fork ]] || builtin return 0
# tw_fork runs an event in a new process: the executable, or another Bash that sources the handler's file. When that
# ends, the other processes of its group have 0.1 s to write.
tw_fork() {
  builtin set -m
  (
    [[ ! $tw_wide ]] || if [[ $tw_all ]]; then LC_ALL=$tw_all; else LC_CTYPE=$tw_ctype; fi
    exec 238<&- 239<&- 241<&- 242<&- 247>&- 248>&- 249>&-
    builtin trap - PIPE
    [[ ! $tw_given$tw_posix ]] || tw_init tw_give
    [[ $tw_function ]] || exec "$tw_file"
    exec "$BASH" -c 'builtin mapfile -d "" -t -n 1 __twinstart </proc/self/fd/0
__twinstart=("$1" "$2" "${__twinstart-}")
builtin set --
. "${__twinstart[0]}" </dev/null >&2
__twinstart[3]=$?
[[ ${__twinstart[3]} == 0 ]] || builtin exit "${__twinstart[3]}"
builtin declare -f +t -- "${__twinstart[1]}" || { builtin printf "%s defines no function %s\n" "${__twinstart[0]}" "${__twinstart[1]}" >&2; builtin exit 127; }
"${__twinstart[1]}" "${__twinstart[2]}"' "$BASH" "$tw_file" "$tw_function"
  ) <&0 &
  builtin set +m
  builtin echo "$tw_id $tw_until ${tw_length:-1} $! ${tw_nonce%$'\r\n'}" >&249
  builtin wait "$!" 2>/dev/null
  tw_status=$?
  tw_leave "-$!" 100
}

# tw_leave GROUP MS waits, then kills what is left of a process group or of a single process. A trap that interrupts
# `read -t` has SIGCHLD blocked, so a process that has ended may still be a zombie.
tw_leave() {
  builtin local tw_end="$((${EPOCHREALTIME/[!0-9]/} + $2 * 1000))"
  exec 243<<<'' && builtin read -r -u 243 && exec 240>/proc/self/fd/243 # a pipe on which nothing comes
  while builtin kill -0 -- "$1" && ((${EPOCHREALTIME/[!0-9]/} < tw_end)); do
    [[ $1 == -* ]] || { builtin read -r tw_part <"/proc/$1/stat" && [[ $tw_part != *') Z '* ]]; } || builtin break
    builtin read -r -t 0.01 -u 243
  done 2>/dev/null
  exec 243<&- 240>&-
  builtin kill -KILL -- "$1" 2>/dev/null
}
