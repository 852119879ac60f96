# shellcheck shell=bash
# The worker of bashtcp does INIT, then loops: it takes an event, calls the function and posts the output. The
# handler shares this shell, so nothing here may depend on its options, IFS, locale, working directory or functions.
#
# Bash parses a file as it runs it. INIT and GET /next come first, and the loop is parsed while the answer is on its
# way. The loop is not in a function: Bash copies a function's body twice before it runs, and a function does not
# see the handler's trap on ERR. That trap is active here, so no command outside a condition may fail.
#
# Descriptors: 240 and 243 as in fork.sh, 247 the handler's stderr, 248 the Runtime API, 249 the state, 252 the
# watching shell, 254 the log. 241 and 242 are the event and the response, 238 and 239 copies of them. The worker
# also uses two descriptors of the watching shell by number: 245 and 246.
# shellcheck disable=SC1003,SC1090,SC2015,SC2016,SC2034,SC2064,SC2128,SC2154,SC2178,SC2261 # on purpose, each of them

[[ $tw_source == worker ]] || builtin return 0
# tw_bye is the trap on EXIT: the whole trap, or the first part of the handler's own.
tw_bye() {
  tw_status=$?
  [[ ! $tw_pid ]] || tw_cold tw_settle || :
  builtin echo "$tw_said" >&252
  builtin return "$tw_status"
}
trap() {
  builtin trap "$@" || builtin return
  [[ $BASHPID != "$tw_self" ]] || tw_cold tw_keep_bye "$@"
}

# tw_fork replaces itself by the tw_fork of fork.sh.
tw_fork() { tw_source fork; tw_fork; }
# kill treats $$ as this shell, although it is the number of the watching shell.
kill() { tw_cold tw_kill "$@"; }

# tw_files gives an event new files, because a process that was made since the last event may have the old ones
# open. So a process left in the background writes where nobody reads. Bash cannot remove files, so 512 are used in
# turn.
tw_files() {
  while ((tw_slot = tw_slot % 512 + 1)) && [[ -e $tw_spool.$tw_slot ]] && ! tw_cold tw_unused; do builtin :; done
  tw_line=$tw_slot
  while ((tw_slot = tw_slot % 512 + 1)) && [[ -e $tw_spool.$tw_slot ]] && ! tw_cold tw_unused; do builtin :; done
  exec 241>>"$tw_spool.$tw_line" 238>&241 242>>"$tw_spool.$tw_slot" 239>&242
}

tw_self=$BASHPID tw_said=exit tw_api='' tw_log=254 tw_traps='' tw_pid='' tw_out=''
builtin set +m +f
builtin trap tw_bye EXIT
# The API may hang up.
builtin trap : PIPE
exec </dev/null 247>>"/proc/$$/fd/246" >&247 2>&247 245<&- 246<&- 250<&- 251<&- 253<&-

# The handler is file.function or an executable file.
tw_file=$LAMBDA_TASK_ROOT/$tw_handler tw_function=
if [[ ${tw_handler##*/} == *.* ]]; then
  tw_file=${tw_file%.*}.sh tw_function=${tw_handler##*.}
else
  tw_isolation+=-executable
fi
[[ $AWS_LAMBDA_RUNTIME_API && $tw_handler != *[!A-Za-z0-9_./-]* && /$tw_handler/ != */[/.-]* && ${tw_function:-run} == [A-Za-z_]* && $tw_function != *[!A-Za-z0-9_]* &&
  -f $tw_file && -r $tw_file && (${tw_isolation%-executable} == worker || ${tw_isolation%-executable} == subshell || ${tw_isolation%-executable} == process) && ($tw_function || -x $tw_file) &&
  ${AWS_LAMBDA_MAX_CONCURRENCY:-1} == 1 ]] || tw_init tw_bad_handler
builtin cd "$LAMBDA_TASK_ROOT" && builtin unset OLDPWD
[[ ! $tw_given$tw_posix$tw_compat ]] || tw_init tw_give
if [[ $tw_isolation == worker || $tw_isolation == subshell ]]; then
  . "$tw_file"
  tw_status=$?
  ((tw_status == 0)) && builtin declare -f +t -- "$tw_function" || tw_init tw_bad_file
fi
tw_flags=$- tw_ifs=${IFS-$' \t\n'} tw_posix=
[[ ! -o posix ]] || tw_posix=x
builtin set -f +aekuvxCET +o posix

builtin export LAMBDA_RUNTIME_AWS_REQUEST_ID LAMBDA_RUNTIME_DEADLINE_MS LAMBDA_RUNTIME_INVOKED_FUNCTION_ARN LAMBDA_RUNTIME_TRACE_ID _X_AMZN_TRACE_ID
[[ ! $tw_traps ]] || tw_init tw_register
[[ ${AWS_LAMBDA_INITIALIZATION_TYPE-}$tw_watch != snap-start ]] || tw_source restore
# A request must leave in one write, or its second half waits 40 ms for a delayed ACK (Nagle). echo, unlike printf,
# writes everything up to the last newline at once if it fits stdio's buffer of 4 KiB.
tw_next="GET /2018-06-01/runtime/invocation/next$tw_common"$'\r\n' tw_request=$tw_next
tw_connect
# An error here shows again when the answer is read.
builtin echo -nE "$tw_request" >&248 || :
exec 249>>"/proc/$$/fd/245"
builtin echo idle >&249

# tw_narrow makes each character one byte, by LC_ALL if that is set, else by LC_CTYPE. The handler gets its locale
# back.
tw_narrow() {
  tw_wide=1 tw_all=${LC_ALL-} tw_ctype=${LC_CTYPE-}
  if [[ $tw_all ]]; then LC_ALL=C; else LC_CTYPE=C; fi
}

# This loop reads the answers to GET /next and POST in turn, in the locale C, in which a character is a byte.
tw_get=1 tw_wide='' tw_probe=$'\xc3\xa9' tw_floor=() tw_second='' tw_limit=0 tw_more='' tw_count=0
((${#tw_probe} == 2)) || tw_narrow
while :; do
  # The head. Bash reads lines from a socket with a system call per byte, but read -N reads blocks. tw_floor is
  # how many bytes each answer with this status has at least, learned from the first one: read -N reads that many.
  # Fields that may be absent do not count.
  IFS='' tw_head='' tw_close='' tw_length='' tw_odd='' tw_rest='' tw_body=''
  builtin read -r -N 17 -u 248 tw_head || :
  [[ $tw_head == HTTP/1.1\ [2-5][0-9][0-9]* ]] || tw_cold tw_odd_start
  tw_code=${tw_head:9:3}
  builtin read -r -N "${tw_floor[$tw_get$tw_code]:-0}" -u 248 tw_part || tw_cold tw_cut
  tw_head+=$tw_part
  case ${tw_part:-$tw_head} in *$'\r') builtin read -r -N 1 -u 248 tw_part && tw_head+=$tw_part ;; esac
  case $tw_head in
    *$'\r\n\r\n'*) tw_rest=${tw_head#*$'\r\n\r\n'} tw_head=${tw_head%%$'\r\n\r\n'*} ;;
    # The last block may have ended just before a CR: the rest of that line is not an empty line.
    *) while builtin read -r -u 248 tw_line || tw_cold tw_cut; [[ $tw_line != $'\r' || $tw_head != *$'\n' ]]; do tw_head+=$tw_line$'\n'; done ;;
  esac
  [[ ! $tw_get ]] || tw_id='' tw_until='' tw_arn='' tw_trace='' tw_client='' tw_cognito='' tw_tenant='' tw_nonce=''
  IFS=$'\r\n'
  for tw_line in $tw_head; do
    # These are the spellings that Lambda uses. Other spellings take longer.
    case $tw_line in
      HTTP/1.1* | Date:* | Content-Type:*) ;;
      Lambda-Runtime-Aws-Request-Id:\ *) tw_id=${tw_line:31} ;;
      Lambda-Runtime-Deadline-Ms:\ *) tw_until=${tw_line:28} ;;
      Lambda-Runtime-Invoked-Function-Arn:\ *) tw_arn=${tw_line:37} ;;
      Lambda-Runtime-Trace-Id:\ *) tw_trace=${tw_line:25} ;;
      # This is sent back with the outcome.
      Lambda-Runtime-Invocation-Id:\ *) tw_nonce=$tw_line$'\r\n' ;;
      Content-Length:\ *) [[ ! $tw_length ]] && tw_length=${tw_line:16} || tw_cold tw_odd_field ;;
      *) tw_cold tw_odd_field ;;
    esac
  done
  case $tw_length in '' | *[!0-9]* | ??????????*) tw_cold tw_no_length ;; esac

  # The watching shell checks an event every 1.1 s, and in time for its deadline. It learns of the event before the
  # body is read, because Bash drops NUL bytes and would wait for as many more.
  if [[ $tw_get ]]; then
    [[ $tw_code == 200 && $tw_id ]] || tw_die "GET /next: status $tw_code, request id '$tw_id'"
    LAMBDA_RUNTIME_AWS_REQUEST_ID=$tw_id LAMBDA_RUNTIME_DEADLINE_MS=$tw_until LAMBDA_RUNTIME_INVOKED_FUNCTION_ARN=$tw_arn
    case $tw_id$tw_until in *[!0-9a-f-]*) [[ $tw_id != *[!A-Za-z0-9.:_-]* ]] || tw_cold tw_odd_context ;; esac
    case $tw_until in [!1-9]* | *[!0-9]* | '' | ????????????????*) tw_cold tw_odd_context ;; esac
    ((++tw_count % 500)) || builtin : >|"/proc/$$/fd/245"
    builtin echo "$tw_id $tw_until ${tw_length:-1} - ${tw_nonce%$'\r\n'}" >&249
    ((EPOCHSECONDS == tw_second && tw_until > tw_limit)) || {
      tw_second=$EPOCHSECONDS tw_limit=${EPOCHREALTIME/[!0-9]/}
      ((tw_limit = tw_limit / 1000 + 1200))
      builtin echo "$tw_until" >&252
    }
  fi
  if [[ $tw_odd$tw_rest ]]; then
    tw_cold tw_odd_body || { tw_connect && builtin echo -nE "$tw_request" >&248 && builtin continue; }
  elif ((tw_length)); then
    builtin read -r -N "$tw_length" -u 248 tw_body || tw_cold tw_cut
  fi
  tw_fresh=
  [[ ! $tw_close ]] || tw_cold tw_hangup

  if [[ ! $tw_get ]]; then
    tw_get=1 tw_request=$tw_next
    [[ $tw_code == 202 ]] || tw_cold tw_refused
    [[ ${tw_floor[$tw_code]-} ]] || { tw_kind=$tw_code && tw_source learn; }
    [[ ! $tw_get ]] || builtin echo idle >&249
  else
    if [[ $tw_trace ]]; then
      LAMBDA_RUNTIME_TRACE_ID=$tw_trace _X_AMZN_TRACE_ID=$tw_trace
    elif [[ ${LAMBDA_RUNTIME_TRACE_ID+x}${_X_AMZN_TRACE_ID+x} ]]; then
      tw_cold tw_no_trace
    fi
    [[ ! $tw_more ]] || tw_cold tw_more_context
    # A process that was made since the last event may hold that event's files, so this event gets others.
    IFS=' '
    builtin read -r REPLY REPLY REPLY REPLY tw_part </proc/loadavg
    [[ $tw_part == "$tw_pid" ]] || tw_files || tw_cold tw_no_files
    tw_pid=${tw_part:-0}
    builtin printf %s "$tw_body" >&241 || tw_cold tw_no_files
    # The first line of the output is ours. It is gone if the handler opens /dev/stdout by name, which empties the
    # file.
    exec </proc/self/fd/241 >&242 2>&247 || tw_cold tw_reopen
    builtin echo "$tw_mark"
    # The function runs with its own locale, IFS and options, outside any condition or function.
    if [[ $tw_isolation == worker || $tw_isolation == subshell ]]; then
      if [[ $tw_wide ]]; then
        if [[ $tw_all ]]; then LC_ALL=$tw_all; else LC_CTYPE=$tw_ctype; fi
        tw_wide=
      fi
      IFS=$tw_ifs
      [[ ! $tw_posix ]] || tw_cold tw_posix_on
      if [[ $tw_isolation == worker ]]; then
        builtin set +f "-$tw_flags"
        "$tw_function" "$tw_body"
        tw_status=$? tw_flags=$- tw_ifs=${IFS-$' \t\n'} IFS=''
        if [[ -o posix ]]; then tw_cold tw_posix_off; else tw_posix=; fi
      else
        # The option e would end this shell too.
        builtin set +f "-${tw_flags//e/}"
        (
          exec 238<&- 239<&- 241<&- 242<&- 248>&- 249>&- 252>&- 254>&-
          builtin trap - PIPE
          [[ $tw_flags != *e* ]] || builtin set -e
          "$tw_function" "$tw_body"
        )
        tw_status=$? IFS=''
      fi
      builtin set -f +aekuvxCET +o posix
      ((${#tw_probe} == 2)) || tw_narrow
      [[ -p /proc/self/fd/252 && /proc/self/fd/249 -ef /proc/$$/fd/245 && /proc/self/fd/241 -ef /proc/self/fd/238 && /proc/self/fd/242 -ef /proc/self/fd/239 ]] ||
        tw_cold tw_strip
    else
      tw_fork
    fi
    # A short outcome is one chunk, because a chunk ends in a newline. A longer one gets a new connection, on which
    # ACKs come at once.
    tw_get='' tw_message='' tw_failing=''
    [[ ! -s /proc/$$/fd/246 ]] || tw_cold tw_log_stderr
    if ((tw_status)); then
      tw_cold tw_fail
    # The response is long, has a NUL byte, or lacks our first line.
    elif builtin read -r -d '' -n 3000 </proc/self/fd/242 || [[ $REPLY != "$tw_mark"$'\n'* ]]; then
      tw_cold tw_answer
    else
      REPLY=${REPLY:${#tw_mark}+1}
      tw_payload=
      [[ ! $REPLY ]] || builtin printf -v tw_payload '%x\r\n%s\r\n' ${#REPLY} "$REPLY"
      tw_request="POST /2018-06-01/runtime/invocation/$tw_id/response$tw_common$tw_nonce"
      tw_request+=$'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'$tw_payload$'0\r\n\r\n'
    fi
  fi
  [[ $tw_api ]] || tw_connect
  builtin echo -nE "$tw_request" >&248 || :
  if [[ ! $tw_get ]]; then
    # Empty the files while the API takes the outcome, and not when they are written: if a file is emptied and
    # rewritten at once, ext4 flushes it at close, which takes 150 us.
    builtin : >|/proc/self/fd/241 >|/proc/self/fd/242
    [[ ! $tw_traps ]] || exec </dev/null >&247 2>&247
    [[ ${tw_floor[1$tw_code]-} ]] || { tw_kind=1$tw_code && tw_source learn; }
  fi
done
