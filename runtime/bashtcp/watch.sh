# shellcheck shell=bash
# What the watching shell of bashtcp does when it must act: it checks a long event, answers for a worker that has
# ended, and ends the environment.
# shellcheck disable=SC2034,SC2128,SC2154,SC2178,SC2206 # the variables of the other files

[[ $tw_source == watch ]] || builtin return 0
# tw_look runs 1.1 s after an event was seen, and then every 1.1 s. If the worker still waits for the rest of a body,
# the event is refused: it has NUL bytes, or the API does not send all that it has announced.
tw_look() {
  builtin local tw_stat='' tw_body=''
  builtin read -r tw_stat <"/proc/$tw_worker/stat"
  [[ ! -s /proc/$tw_worker/fd/241 ]] || tw_body=whole
  if [[ ${tw_now[2]} != 0 && ! $tw_body && $tw_stat == *') S '* && $tw_was == "$tw_now $tw_stat" ]]; then
    tw_why=stuck
  fi
  [[ $tw_stat != *') Z '* ]] || tw_why=gone # but its child holds the pipe
  tw_was="$tw_now $tw_stat"
} 2>/dev/null

# tw_bury ends the worker if it still runs, and answers for it. tw_why and tw_said tell how it ended.
tw_bury() {
  builtin local LC_ALL=C IFS='' tw_ours='' tw_theirs=''
  {
    builtin read -r tw_ours </proc/self/comm
    builtin read -r tw_theirs <"/proc/$tw_worker/comm"
    builtin kill -KILL -- "-$tw_worker"
    builtin wait "$tw_worker"
  } 2>/dev/null
  tw_status=$?
  [[ $tw_said != die ]] || builtin exit 1
  tw_cold :
  builtin mapfile -t tw_state </proc/self/fd/245
  IFS=' '
  tw_now=(${tw_state[*]: -1})
  : >|/proc/self/fd/245 # the next worker is in INIT
  tw_id=${tw_now[0]-} tw_api='' tw_get='' REPLY='' tw_failing='' tw_nonce=${tw_now[*]:4}
  IFS=''
  tw_nonce+=${tw_nonce:+$'\r\n'}
  [[ ${tw_now[3]:--} == - ]] || builtin kill -KILL -- "-${tw_now[3]}" 2>/dev/null
  # There is no last word, but a status: the process that ended was another program.
  if [[ $tw_why$tw_said == gone && ${tw_theirs:-$tw_ours} != "$tw_ours" || $tw_why$tw_said$tw_theirs == gone && $tw_status -lt 128 ]]; then
    tw_why=replaced
  fi
  [[ $tw_id != idle ]] || tw_die "the shell of handler '$tw_handler' has ended between events, with status $tw_status"
  [[ $tw_id ]] || tw_init tw_fail_init HandlerInitFailed "its file has ended the shell with status $tw_status"
  [[ $tw_id != BeforeSnapshotError ]] || tw_init tw_fail_init "$tw_id" "before_snapshot has ended the shell with status $tw_status"
  [[ $tw_id != AfterRestoreError ]] || tw_init tw_fail_init "$tw_id" "after_restore has ended the shell with status $tw_status" restore/error
  tw_log_stderr
  if [[ $tw_why == late ]]; then
    tw_error Function.TimedOut "handler '$tw_handler' timed out: killed just before its deadline"
  elif [[ $tw_why == stuck ]]; then
    tw_error Runtime.UnsupportedEvent "the event does not arrive whole: it holds NUL bytes, which Bash cannot pass on: use rawsyscall"
  elif [[ $tw_why == replaced ]]; then
    tw_error Function.ShellReplaced "handler '$tw_handler' replaced its shell by exec: leave exec out, or set TWINSTART_ISOLATION=subshell"
  elif [[ ! $tw_said ]]; then
    tw_part=''
    ((tw_status != 137)) || tw_part=', or it has closed descriptors from 238 to 255'
    tw_error Function.Signal "${tw_message:-"handler '$tw_handler': killed by signal $((tw_status - 128))$tw_part"}"
  elif ((tw_status)); then
    tw_fail
  else
    tw_left
    tw_out=$tw_spool.a
    tw_answer
    : >|"$tw_out"
  fi
  while [[ ! $tw_get ]]; do
    tw_send
    tw_get=1
    [[ $tw_code == 202 ]] || tw_refused
  done
  tw_hangup
}

# tw_signal handles a signal to this shell. During an event it comes from a program of the handler and is meant for
# the worker. Between events a signal that ends programs ends the environment: the worker has 0.4 s for its traps.
tw_signal() {
  builtin local IFS=' '
  builtin mapfile -t tw_state </proc/self/fd/245
  tw_now=(${tw_state[*]: -1})
  if [[ ${tw_now[1]-} || $1 != @(TERM|INT|HUP) ]]; then
    builtin kill -s "$1" "$tw_worker" 2>/dev/null
    builtin return 0
  fi
  builtin trap '' TERM INT HUP
  tw_cold :
  tw_source fork
  {
    builtin kill -TERM "$tw_worker"
    tw_leave "$tw_worker" 400
    builtin kill -KILL -- "-$tw_worker"
  } 2>/dev/null
  tw_log_stderr
  builtin exit 0
}
