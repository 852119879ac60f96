# shellcheck shell=bash
# What few starts of bashtcp need, of both its shells, called by tw_init: options that the environment has set, an extension, and why INIT
# cannot go on.
# shellcheck disable=SC2034,SC2128,SC2154,SC2178,SC2261 # the variables of the other files

[[ $tw_source == init ]] || builtin return 0
# tw_give gives the handler's file what the environment has set of Bash's own.
tw_give() {
  [[ ! $tw_compat ]] || builtin export BASH_COMPAT="$tw_compat"
  [[ ! $tw_given ]] || builtin set "-$tw_given"
  [[ ! $tw_posix ]] || builtin export POSIXLY_CORRECT="${tw_posixly:-y}"
}

# tw_register makes Lambda send SIGTERM at the end, which it does where there is an extension. An internal one, which wants no
# events, is enough: its GET is never answered. An API that knows no extensions is no reason to fail.
tw_register() {
  builtin local LC_ALL=C IFS='' tw_line tw_name=''
  exec 240<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API%:*}/${AWS_LAMBDA_RUNTIME_API##*:}" || builtin return 0
  builtin echo -nE "POST /2020-01-01/extension/register$tw_common"$'Lambda-Extension-Name: twinstart\r
Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{"events":[]}' >&240
  while builtin read -r -t 5 -u 240 tw_line && [[ $tw_line != $'\r' ]]; do
    [[ ${tw_line,,} != lambda-extension-identifier:* ]] || tw_name=${tw_line#*:}
  done
  if [[ $tw_name ]]; then
    exec 243<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API%:*}/${AWS_LAMBDA_RUNTIME_API##*:}" &&
      builtin echo -nE "GET /2020-01-01/extension/event/next${tw_common}Lambda-Extension-Identifier:$tw_name"$'\n\r\n' >&243
  else
    builtin echo "twinstart: POST /2020-01-01/extension/register was refused; going on without SIGTERM" >&"$tw_log"
  fi
  exec 240>&-
}

# tw_bad_handler and tw_bad_file find out why INIT cannot go on.
tw_bad_handler() {
  [[ $AWS_LAMBDA_RUNTIME_API ]] || tw_die "AWS_LAMBDA_RUNTIME_API is not set: start this as a Lambda function's bootstrap"
  [[ $tw_isolation == @(worker|subshell|process)?(-executable) ]] ||
    tw_fail_init ConfigInvalid "TWINSTART_ISOLATION is none of worker, subshell and process"
  [[ ${AWS_LAMBDA_MAX_CONCURRENCY:-1} == 1 ]] ||
    tw_fail_init ConfigInvalid "AWS_LAMBDA_MAX_CONCURRENCY is not 1: bashtcp takes one event at a time: use rawsyscall"
  [[ $tw_handler == *[!A-Za-z0-9_./-]* || /$tw_handler/ == */[/.-]* || ${tw_function:-run} != [A-Za-z_]*([A-Za-z0-9_]) ]] &&
    tw_fail_init ConfigInvalid "want file.function or the name of an executable, below $LAMBDA_TASK_ROOT"
  [[ -e $tw_file ]] || tw_fail_init NoSuchHandler "$tw_file does not exist"
  [[ ! $tw_function ]] || tw_fail_init HandlerNotReadable "$tw_file is not a file, or not readable"
  tw_fail_init HandlerNotExecutable "$tw_file is not a file, or not executable"
}

tw_bad_file() {
  ((tw_status == 0)) || tw_fail_init HandlerInitFailed "$tw_file ended with status $tw_status"
  tw_fail_init NoSuchFunction "$tw_file does not define $tw_function"
}

tw_fail_init() { # REASON MESSAGE
  builtin local - LC_ALL=C IFS=''
  builtin set +euCx
  tw_log_stderr
  tw_error "Runtime.$1" "handler '$tw_handler': $2${tw_message:+: $tw_message}" init/error
  tw_send
  tw_die "handler '$tw_handler': $2"
}
