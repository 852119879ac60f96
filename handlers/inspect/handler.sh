#!/bin/bash
# Reports what a function finds in its execution environment: facts by name in one JSON object, which twinstart
# doctor --root compares with the lab. It uses builtins, so it runs on any base. It leaves out a fact if the program
# that it needs is missing. It never prints credentials, or the values of variables that are not Lambda's.

run() {
  local characters=é separator='{' bootstrap=$$ f name text parent
  fact "length of a letter of two bytes" ${#characters}
  local LC_ALL=C # bytes from here on: quote prints each byte outside ASCII as ?
  while status "$bootstrap" PPid && ((text > 1)); do bootstrap=$text; done

  for f in /* /dev/* "$LAMBDA_TASK_ROOT/lost+found" /bin/sh /etc/localtime /sys/fs/cgroup; do
    [[ $f == *'*' || ! -e $f && ! -L $f ]] || fact "$f" "$(kind "$f")"
  done
  for f in / /tmp /var/task /var/runtime /var/tmp /opt /etc /usr /home /dev /proc /sys /run; do
    [[ ! -d $f ]] || answer "writable $f" test -w "$f"
  done
  for f in /proc/1/{environ,maps,fd} /proc/{cpuinfo,meminfo,mounts,kcore,kmsg,kallsyms,sys/kernel/core_pattern} /etc/shadow; do
    answer "readable $f" test -r "$f"
  done
  while read -r _ f name text _; do
    fact "mount $f" "$name ${text%%,*}"
  done </proc/mounts

  while IFS=: read -r name text; do
    case $name in
      Umask | Uid | Gid | Groups | Cap* | NoNewPrivs | Seccomp | SigBlk | SigIgn) fact "status $name" "$(words "$text")" ;;
    esac
  done <<<"$(<"/proc/$bootstrap/status")" # in one read: the file can change while it is read line by line
  while IFS= read -r text; do
    name=${text:0:26} # columns of a fixed width
    [[ $name != Max* ]] || fact "limit $(words "${name#Max}")" "$(words "${text:26:42}")"
  done <"/proc/$bootstrap/limits"
  text=$(<"/proc/$bootstrap/stat")
  read -r _ _ f name _ <<<"${text##*) }"
  if [[ $f == "$bootstrap" ]]; then fact "process group" own; else fact "process group" inherited; fi
  if [[ $name == "$bootstrap" ]]; then fact session own; else fact session inherited; fi
  read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ text _ <<<"${text##*) }"
  fact nice "$text"

  while IFS= read -r -d '' text; do
    name=${text%%=*}
    case $name in
      *KEY* | *SECRET* | *TOKEN* | *PASSPHRASE*) text='(set)' ;;
      AWS_* | _AWS_* | _LAMBDA_* | LAMBDA_* | _HANDLER | _X_AMZN_TRACE_ID | PATH | LD_LIBRARY_PATH | LANG | LC_* | TZ | SHLVL | PWD | HOME | HOSTNAME | _) text=${text#*=} ;;
      *) text='(set)' ;;
    esac
    fact "environment $name" "$text"
  done <"/proc/$bootstrap/environ"
  for f in "/proc/$bootstrap/fd"/*; do
    fact "descriptor ${f##*/}" "$(stream "$f")"
  done
  fact "working directory" "$(cd -P "/proc/$bootstrap/cwd" && pwd -P)"
  IFS= read -r -d '' text <"/proc/$bootstrap/cmdline"
  fact command "$text"

  [[ ! -x /bin/sh ]] || fact "/bin/sh is Bash" "$(/bin/sh -c 'test -n "$BASH_VERSION" && echo yes || echo no')"
  fact "Bash" "$BASH_VERSION"
  printf -v text '%(%Z %z)T' -1
  fact "time zone" "$text"
  fact hostname "$(</proc/sys/kernel/hostname)"
  fact kernel "$(</proc/sys/kernel/osrelease)"
  text=
  while read -r f; do text+="$f "; done </proc/self/cgroup
  fact "control groups" "$text"
  read -r text </proc/self/uid_map
  fact "user namespace" "$(words "$text")"
  name=$(status 1 Name && echo "$text")
  fact "process 1" "$name"
  [[ ! -r /etc/passwd ]] || while IFS=: read -r name _ text parent _; do
    [[ $text != "$EUID" ]] || fact "user $text" "$name, group $parent"
  done </etc/passwd
  [[ ! -r /etc/group ]] || while IFS=: read -r name _ text _; do
    [[ $text != 990 ]] || fact "group $text" "$name"
  done </etc/group
  for name in awk bash cat curl cut date find grep gzip head jq ls mktemp ps python3 readlink sed sort tar tr unzip wc which xargs; do
    answer "program $name" type -P "$name"
  done
  printf '}\n'
}

# answer NAME COMMAND... states yes if the command succeeds, else no.
answer() {
  if "${@:2}" >/dev/null; then fact "$1" yes; else fact "$1" no; fi
}

# fact NAME VALUE prints one fact.
fact() {
  printf %s "$separator"
  quote "$1"
  printf ': '
  quote "$2"
  separator=$',\n'
}

quote() {
  local s=${1//\\/\\\\}
  s=${s//\"/\\\"}
  printf '"%s"' "${s//[^ -~]/?}"
}

# words prints its argument with exactly one blank between any two words.
words() {
  local IFS=$' \t\n' all
  read -ra all <<<"$1"
  printf %s "${all[*]}"
}

# status PID FIELD reads a field of a process's status into the variable text.
status() {
  local field
  while read -r field text; do
    [[ $field != "$2:" ]] || return 0
  done <<<"$(<"/proc/$1/status")"
  return 1
} 2>/dev/null

kind() {
  local to
  if [[ -L $1 ]]; then
    to=$(readlink "$1" 2>/dev/null) && printf 'link to %s' "$to" || printf link
  elif [[ -d $1 ]]; then
    printf folder
  elif [[ -c $1 ]]; then
    printf 'character device'
  else
    printf file
  fi
}

# stream prints what kind of file an open descriptor refers to.
stream() {
  if [[ $1 -ef /dev/null ]]; then
    printf /dev/null
  elif [[ -p $1 ]]; then
    printf pipe
  elif [[ -S $1 ]]; then
    printf socket
  elif [[ -f $1 ]]; then
    printf file
  else
    printf other
  fi
}
