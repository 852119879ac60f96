# shellcheck shell=bash
# The first worker of bashtcp runs this at the end of INIT if Lambda makes a snapshot (SnapStart): the hooks of the
# handler's file, and between them GET /restore/next, which is answered in each restored environment. The state tells
# the watching shell which hook ended the worker. A worker that replaces this one runs no hooks.
# shellcheck disable=SC1003,SC2016,SC2034,SC2128,SC2154,SC2261 # the variables of the other files

[[ $tw_source == restore ]] || builtin return 0
tw_restored() {
  builtin local LC_ALL=C IFS='' tw_line
  tw_connect
  builtin echo -nE "GET /2018-06-01/runtime/restore/next$tw_common"$'\r\n' >&248 || :
  tw_code=100
  while [[ $tw_code == 1?? ]]; do
    builtin read -r -N 12 -u 248 tw_code || :
    tw_code=${tw_code:9}
    while builtin read -r -u 248 tw_line || tw_cut; [[ $tw_line != $'\r' ]]; do :; done
  done
  [[ $tw_code == 200 ]] || tw_die "GET /restore/next: status $tw_code"
  tw_hangup
}
tw_logged() {
  builtin local LC_ALL=C IFS=''
  tw_log_stderr
}

tw_cold :
builtin echo BeforeSnapshotError >>"/proc/$$/fd/245"
for tw_hook in before_snapshot after_restore; do
  if [[ $tw_hook == after_restore ]]; then
    tw_restored
    builtin echo AfterRestoreError >>"/proc/$$/fd/245"
    # Else two restores would go on with the same random numbers.
    [[ ! ${SRANDOM-} ]] || RANDOM=$SRANDOM
  fi
  tw_status=0
  if [[ $tw_isolation == process ]]; then
    (
      [[ ! $tw_given$tw_posix ]] || tw_init tw_give
      exec "$BASH" -c '__twinstart=$2
. "$1" || builtin exit
! builtin declare -f +t -- "$__twinstart" || "$__twinstart"' "$BASH" "$tw_file" "$tw_hook"
    ) || tw_status=$?
  elif [[ $tw_isolation != *-executable ]] && builtin declare -f +t -- "$tw_hook"; then
    IFS=$tw_ifs
    [[ ! $tw_posix ]] || tw_cold tw_posix_on
    builtin set +f "-$tw_flags"
    "$tw_hook"
    tw_status=$? tw_flags=$- tw_ifs=${IFS-$' \t\n'} IFS=''
    if [[ -o posix ]]; then tw_cold tw_posix_off; else tw_posix=; fi
    builtin set -f +aekuvxCET +o posix
  fi
  if ((tw_status)); then
    if [[ $tw_hook == before_snapshot ]]; then
      tw_init tw_fail_init BeforeSnapshotError "$tw_hook ended with status $tw_status"
    else
      tw_init tw_fail_init AfterRestoreError "$tw_hook ended with status $tw_status" restore/error
    fi
  fi
  tw_logged
done
