# shellcheck shell=bash
# Functions that few events need, called by tw_cold in both shells. Those that count bytes need the locale C.
# shellcheck disable=SC1003,SC2015,SC2016,SC2034,SC2059,SC2128,SC2154,SC2178,SC2206,SC2261 # the variables of the other files

[[ $tw_source == rare ]] || builtin return 0
# ---- Rare answers of the Runtime API.
# tw_odd_start handles an answer that does not start with a plain status line of HTTP/1.1.
tw_odd_start() {
  while :; do
    if [[ $tw_head == HTTP/1.[01]\ [2-5][0-9][0-9]* ]]; then
      [[ $tw_head == HTTP/1.1* ]] || tw_close=1
      builtin return
    elif [[ $tw_head == HTTP/1.1\ 1* ]]; then # an interim answer; the final one follows
      while builtin read -r -u 248 tw_line && [[ $tw_line != $'\r' ]]; do :; done
    elif [[ ! $tw_head && ! $tw_fresh ]]; then # the server dropped the connection while it was idle
      tw_hangup
      tw_connect
      builtin echo -nE "$tw_request" >&248
    else
      tw_die "the API's answer is not HTTP: ${tw_head@Q}"
    fi
    tw_head=
    builtin read -r -N 17 -u 248 tw_head
  done
}

tw_hangup() {
  [[ ! $tw_api ]] || exec 248>&-
  tw_api=
}

tw_no_api() {
  if [[ $tw_self ]] && exec {tw_part}<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API%:*}/${AWS_LAMBDA_RUNTIME_API##*:}"; then
    tw_give_up "handler '$tw_handler' has set ulimit -n below the 256 that bashtcp needs: use rawsyscall, or TWINSTART_ISOLATION=subshell"
  fi
  tw_die "no Runtime API at '$AWS_LAMBDA_RUNTIME_API'"
}

tw_cut() { tw_die "the API's answer was cut short"; }

# tw_odd_field takes a field that is rare or spelled differently.
tw_odd_field() {
  builtin local tw_value="${tw_line#*:}"
  tw_value=${tw_value# }
  case ${tw_line,,} in
    lambda-runtime-aws-request-id:*) tw_id=$tw_value ;;
    lambda-runtime-deadline-ms:*) tw_until=$tw_value ;;
    lambda-runtime-invoked-function-arn:*) tw_arn=$tw_value ;;
    lambda-runtime-trace-id:*) tw_trace=$tw_value ;;
    lambda-runtime-client-context:*) tw_client=$tw_value tw_more=1 ;;
    lambda-runtime-cognito-identity:*) tw_cognito=$tw_value tw_more=1 ;;
    lambda-runtime-aws-tenant-id:*) tw_tenant=$tw_value tw_more=1 ;;
    lambda-runtime-invocation-id:*) tw_nonce="Lambda-Runtime-Invocation-Id: $tw_value"$'\r\n' ;;
    content-length:*)
      [[ ${tw_length:-$tw_value} == "$tw_value" ]] || tw_die "the API's Content-Length is ${tw_length@Q} and ${tw_value@Q}"
      tw_length=$tw_value
      ;;
    transfer-encoding:*) [[ ${tw_odd}${tw_value,,} == chunked ]] && tw_odd=chunked || tw_die "the API's Transfer-Encoding is ${tw_value@Q}" ;;
    connection:*close*) tw_close=1 ;;
    *:* | http/1.?\ *) ;;
    *) tw_die "the API's answer has a header line of ${tw_line@Q}" ;;
  esac
}

tw_no_length() {
  [[ ! $tw_length && ${tw_head,,} != *$'\n'content-length:* ]] || tw_die "the API's Content-Length is ${tw_length@Q}"
  tw_floor[$tw_get$tw_code]=0 # learn nothing from these
  [[ $tw_odd ]] || tw_odd=endless
}

# tw_odd_context dies if the id is invalid. An invalid deadline is passed to the handler but never comes.
tw_odd_context() {
  [[ $tw_id != *[!A-Za-z0-9.:_-]* ]] || tw_die "the API's request id is ${tw_id@Q}"
  tw_until=999999999999999
}

tw_no_trace() {
  builtin unset LAMBDA_RUNTIME_TRACE_ID _X_AMZN_TRACE_ID
  builtin export LAMBDA_RUNTIME_TRACE_ID _X_AMZN_TRACE_ID
}

# tw_more_context sets variables that few events have and unsets those of the last event.
tw_more_context() {
  builtin export LAMBDA_RUNTIME_CLIENT_CONTEXT="$tw_client" LAMBDA_RUNTIME_COGNITO_IDENTITY="$tw_cognito" LAMBDA_RUNTIME_AWS_TENANT_ID="$tw_tenant"
  [[ $tw_client ]] || builtin unset LAMBDA_RUNTIME_CLIENT_CONTEXT
  [[ $tw_cognito ]] || builtin unset LAMBDA_RUNTIME_COGNITO_IDENTITY
  [[ $tw_tenant ]] || builtin unset LAMBDA_RUNTIME_AWS_TENANT_ID
}

# tw_odd_body reads a body that is chunked, that ends with the connection, or that starts in tw_rest because its
# head was short. Status 1: the event is refused, and tw_request has the refusal.
tw_odd_body() {
  builtin local tw_size tw_parts
  tw_parts=()
  IFS=''
  if [[ $tw_odd == endless ]]; then
    [[ ! $tw_get ]] || builtin read -r -N 99999999 -u 248 tw_body
    tw_body=$tw_rest$tw_body tw_close=1
    builtin return 0
  elif [[ ! $tw_odd ]]; then
    tw_take "$tw_length"
    tw_body=$tw_part
    builtin return 0
  fi
  while tw_take_line; do
    tw_size=${tw_line%%[;$' \t\r']*}
    [[ $tw_size && $tw_size != *[!0-9a-fA-F]* && ${#tw_size} -lt 8 ]] || tw_die "the API's chunk size is ${tw_size@Q}"
    ((16#$tw_size)) || break
    tw_take $((16#$tw_size))
    tw_parts+=("$tw_part")
    tw_take_line
    if [[ $tw_line != $'\r' ]]; then # NUL bytes were dropped, so framing was read as data
      tw_hangup
      tw_error Runtime.UnsupportedEvent "the event's chunks do not fit: it holds NUL bytes, which Bash cannot pass on: use rawsyscall"
      builtin return 1
    fi
  done
  while tw_take_line && [[ $tw_line != $'\r' ]]; do :; done # trailers
  tw_body="${tw_parts[*]}"
}

tw_take_line() {
  if [[ $tw_rest == *$'\n'* ]]; then
    tw_line=${tw_rest%%$'\n'*} tw_rest=${tw_rest#*$'\n'}
  else
    builtin read -r -u 248 tw_line || tw_cut
    tw_line=$tw_rest$tw_line tw_rest=
  fi
}

tw_take() { # BYTES, into tw_part
  builtin local tw_first="${tw_rest:0:$1}"
  tw_rest=${tw_rest:$1} tw_part=''
  ((${#tw_first} == $1)) || builtin read -r -N $(($1 - ${#tw_first})) -u 248 tw_part || tw_cut
  tw_part=$tw_first$tw_part
}

# tw_refused handles a status other than 202 in answer to POST.
tw_refused() {
  case $tw_code in
    2??) ;;
    400 | 403 | 410 | 413)
      if [[ $tw_code == 413 && ! $tw_failing ]]; then
        tw_get=
        tw_error Function.ResponseSizeTooLarge "the response is larger than Lambda takes"
      else
        builtin echo "twinstart: POST for $tw_id: status $tw_code $tw_body; going on" >&"$tw_log"
      fi
      ;;
    *) tw_die "POST for $tw_id: status $tw_code" ;;
  esac
}

# ---- Outcomes.
# tw_answer makes the request with the output. If the output lacks our first line, the handler has opened
# /dev/stdout by name, which empties it. That is an error, unless all of the output was written there.
tw_answer() {
  builtin local tw_nul=''
  REPLY=
  { builtin read -r tw_part; builtin read -r -d '' && tw_nul=1; } <"${tw_out:-/proc/self/fd/242}"
  if [[ $tw_part != "$tw_mark" ]]; then
    builtin read -r tw_part </proc/self/fdinfo/1
    if [[ ! $tw_self || $tw_part != pos:*[!0-9]$((${#tw_mark} + 1)) ]]; then
      tw_error Function.UnsupportedResponse "handler '$tw_handler' has opened /dev/stdout by name, which empties what it has written before: use >&1"
      builtin return
    fi
    builtin read -r -d '' <"${tw_out:-/proc/self/fd/242}" && tw_nul=1
  fi
  if [[ $tw_nul ]]; then
    tw_error Function.UnsupportedResponse "the response holds a NUL byte, which Bash cannot pass on: use rawsyscall"
  else
    tw_payload=$REPLY
    tw_post "invocation/$tw_id/response"
  fi
}

tw_fail() { tw_error Function.ExitStatus "${tw_message:-"handler '$tw_handler': exit status $tw_status"}"; }

tw_error() { # TYPE MESSAGE [PATH]
  tw_failing=1
  tw_quote "$2"
  tw_payload="{\"errorMessage\":\"$tw_quoted\",\"errorType\":\"$1\",\"stackTrace\":[]}"
  tw_post "${3:-invocation/$tw_id/error}" "Lambda-Runtime-Function-Error-Type: $1"$'\r\n'
}

# tw_post makes tw_request with the body tw_payload. It sends a long one itself, on a new connection, where ACKs
# come at once, and without a copy: each copy of 6 MB takes Bash 0.1 s.
tw_post() { # PATH [FIELDS]
  tw_request="POST /2018-06-01/runtime/$1$tw_common$tw_nonce${2-}"$'Content-Type: application/json\r\n'
  if ((${#tw_payload} > 3000)); then
    tw_hangup
    tw_connect
    builtin echo -nE "${tw_request}Content-Length: ${#tw_payload}"$'\r\n\r\n' >&248
    builtin printf %s "$tw_payload" >&248
    tw_request=
  else
    [[ ! $tw_payload ]] || builtin printf -v tw_payload '%x\r\n%s\r\n' ${#tw_payload} "$tw_payload"
    tw_request+=$'Transfer-Encoding: chunked\r\n\r\n'$tw_payload$'0\r\n\r\n'
  fi
}

tw_send() { # sends tw_request and reads only the status
  [[ ! $tw_request ]] || { tw_hangup; tw_connect; builtin echo -nE "$tw_request" >&248; }
  builtin read -r -N 12 -u 248 tw_code
  tw_code=${tw_code:9}
}

# tw_quote escapes any bytes for JSON into tw_quoted. Invalid UTF-8 becomes U+FFFD.
tw_quote() {
  builtin local tw_text="$1" tw_byte tw_n
  tw_text=${tw_text//\\/'\\'}
  tw_text=${tw_text//\"/'\"'}
  while [[ $tw_text == *[$'\x01'-$'\x1f']* ]]; do
    tw_byte=${tw_text#"${tw_text%%[$'\x01'-$'\x1f']*}"}
    tw_byte=${tw_byte:0:1}
    builtin printf -v tw_part '\\u%04x' "'$tw_byte"
    tw_text=${tw_text//"$tw_byte"/"$tw_part"}
  done
  tw_quoted=
  builtin local c=$'[\x80-\xbf]' # a continuation byte
  while [[ $tw_text == *[$'\x80'-$'\xff']* ]]; do
    tw_part=${tw_text%%[$'\x80'-$'\xff']*}
    tw_quoted+=$tw_part tw_text=${tw_text:${#tw_part}}
    case $tw_text in # well-formed sequences: Unicode, table 3-7
      [$'\xc2'-$'\xdf']$c*) tw_n=2 ;;
      $'\xe0'[$'\xa0'-$'\xbf']$c* | $'\xed'[$'\x80'-$'\x9f']$c* | [$'\xe1'-$'\xec'$'\xee\xef']$c$c*) tw_n=3 ;;
      $'\xf0'[$'\x90'-$'\xbf']$c$c* | [$'\xf1'-$'\xf3']$c$c$c* | $'\xf4'[$'\x80'-$'\x8f']$c$c*) tw_n=4 ;;
      *) tw_n=0 tw_quoted+='\ufffd' tw_text=${tw_text:1} ;;
    esac
    tw_quoted+=${tw_text:0:tw_n} tw_text=${tw_text:tw_n}
  done
  tw_quoted+=$tw_text
}

# tw_log_stderr copies the handler's stderr to the log, and its last lines (4 KiB at most) to tw_message. It hides
# write errors: a message about a closed log would go into the file that it is reading, without end.
tw_log_stderr() {
  builtin local tw_partly=''
  tw_message=''
  [[ -s /proc/$$/fd/246 ]] || builtin return 0
  while builtin read -r -N 65536 tw_part || [[ $tw_part ]]; do
    if [[ $tw_self ]]; then
      builtin printf %s "$tw_part" 2>/dev/null >&"$tw_log"
    else
      builtin printf %s "$tw_part" >&2
    fi
    tw_message+=$tw_part
    ((${#tw_message} <= 4096)) || tw_message=${tw_message: -4096} tw_partly=1
  done <"/proc/$$/fd/246"
  builtin : >|"/proc/$$/fd/246"
  [[ ! $tw_partly || $tw_message != *$'\n'?* ]] || tw_message=${tw_message#*$'\n'}
  tw_message=${tw_message#"${tw_message%%[!$' \t\n\r\v\f']*}"}
  tw_message=${tw_message%"${tw_message##*[!$' \t\n\r\v\f']}"}
}

# tw_left uses /tmp if TMPDIR is no longer writable.
tw_left() { [[ -w ${tw_spool%/*} ]] || tw_spool=/tmp/${tw_spool##*/}; }

# ---- The worker.

tw_kill() { # like the builtin kill, but $$ means this shell
  builtin local tw_n=$#
  while ((tw_n--)); do
    case $1 in
      "$$") builtin set -- "${@:2}" "$tw_self" ;;
      "-$$") builtin set -- "${@:2}" "-$tw_self" ;;
      *) builtin set -- "${@:2}" "$1" ;;
    esac
  done
  builtin kill "$@"
}

# tw_strip ends a worker whose handler has closed or overwritten its descriptors. Another replaces it.
tw_strip() {
  tw_give_up "handler '$tw_handler' has closed or overwritten descriptors from 238 to 255, which are the bootstrap's"
}

# tw_give_up ends this worker and its event. The watching shell starts another.
tw_give_up() { # MESSAGE
  builtin echo "$1" >>"/proc/$$/fd/246"
  exec 252>"/proc/$$/fd/250"
  builtin exit 1
} 2>/dev/null

# tw_no_files is called if the files of an event cannot be made or the event cannot be written.
tw_no_files() {
  tw_files && builtin printf %s "$tw_body" >&241 && builtin return
  tw_give_up "there is no room for the event: ${TMPDIR:-/tmp} is full, or handler '$tw_handler' has set ulimit -n below 256 or ulimit -f"
} 2>/dev/null

# tw_reopen is called if the handler has closed the descriptor of stderr.
tw_reopen() { exec 247>>"/proc/$$/fd/246" && exec </proc/self/fd/241 >&242 2>&247; }

# tw_unused checks that no process has the next file open, and then empties it.
tw_unused() {
  builtin local - tw_process tw_fd tw_failglob='' tw_used=''
  builtin shopt -q failglob && tw_failglob=1 && builtin shopt -u failglob
  builtin set +f
  for tw_process in /proc/[1-9]*; do
    # Only a process newer than this shell can be its child, unless the kernel has started again with small numbers.
    ((${tw_process#/proc/} > ${tw_self:-0} || ${tw_pid:-0} < ${tw_self:-0})) || continue
    for tw_fd in "$tw_process"/fd/[0-9]*; do
      [[ ! $tw_fd -ef $tw_spool.$tw_slot ]] || tw_used=1
    done
  done
  [[ ! $tw_failglob ]] || builtin shopt -s failglob
  [[ ! $tw_used ]] && : >|"$tw_spool.$tw_slot"
}

# tw_posix_on and tw_posix_off switch POSIX mode around the function.
tw_posix_on() {
  builtin set -o posix
  [[ $tw_posix != X ]] || builtin export POSIXLY_CORRECT
}
tw_posix_off() {
  tw_posix=x
  [[ ${POSIXLY_CORRECT@a} != *x* ]] || tw_posix=X
}

# tw_settle copies the output of a worker that ends to where the watching shell finds it.
tw_settle() {
  builtin local - LC_ALL=C tw_form=%s
  builtin set +euCx
  [[ /proc/self/fd/1 -ef /proc/self/fd/242 ]] || builtin return 0
  REPLY=
  builtin read -r -d '' </proc/self/fd/242 && tw_form='%s\0' # up to a NUL byte
  tw_left
  exec >|"$tw_spool.a"
  builtin printf "$tw_form" "$REPLY"
}

# tw_keep_bye TRAP'S ARGUMENTS... puts tw_bye before the handler's trap on EXIT, and sets tw_traps if SIGTERM runs a
# trap.
tw_keep_bye() {
  builtin local - tw_command="${1-}" tw_signal
  builtin set +euCx
  [[ ${1-} != -- ]] || builtin shift
  [[ ${1-} != -[lp]* ]] || builtin return 0
  tw_command=${1-}
  if (($# == 1)); then tw_command=''; else builtin shift; fi
  for tw_signal; do
    case ${tw_signal^^} in
      EXIT | 0)
        [[ ! $tw_command || $tw_command == - ]] || tw_traps=1
        builtin trap -- "tw_bye && :"$'\n'"${tw_command#-}" EXIT
        ;;
      TERM | SIGTERM | 15) tw_traps=1 ;;
    esac
  done
}
