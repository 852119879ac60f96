# shellcheck shell=bash
# Functions of bashtcp that few starts need, called by tw_init in both shells: options that the environment has set,
# an extension, and the reason why INIT failed.
# shellcheck disable=SC2034,SC2128,SC2154,SC2178,SC2261 # the variables of the other files

[[ $tw_source == init ]] || builtin return 0
# tw_give sets Bash's options for the handler's file as the environment wanted them.
tw_give() {
  [[ ! $tw_compat ]] || builtin export BASH_COMPAT="$tw_compat"
  [[ ! $tw_given ]] || builtin set "-$tw_given"
  [[ ! $tw_posix ]] || builtin export POSIXLY_CORRECT="${tw_posixly:-y}"
}

# tw_register makes Lambda send SIGTERM at the end: Lambda does so if there is an extension. An internal extension
# without events is enough; its GET is never answered. If the API does not know extensions, INIT goes on.
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

# tw_bad_handler and tw_bad_file find and report the reason why INIT failed.
tw_bad_handler() {
  [[ $AWS_LAMBDA_RUNTIME_API ]] || tw_die "AWS_LAMBDA_RUNTIME_API is not set: start this as a Lambda function's bootstrap"
  [[ $tw_isolation == @(worker|subshell|process)?(-executable) ]] ||
    tw_fail_init ConfigInvalid "TWINSTART_ISOLATION is not worker, subshell or process"
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

tw_fail_init() { # REASON MESSAGE [PATH]
  builtin local - LC_ALL=C IFS=''
  builtin set +euCx
  tw_log_stderr
  tw_error "Runtime.$1" "handler '$tw_handler': $2${tw_message:+: $tw_message}" "${3:-init/error}"
  tw_send
  tw_die "handler '$tw_handler': $2"
}
