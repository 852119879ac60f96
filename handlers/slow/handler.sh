#!/bin/bash
# Waits for as many ms as its event says ("ms": 200), then answers. Waiting costs no CPU. It needs no sleep command:
# it reads, with a time limit, from a pipe that nobody writes to. Bash makes a pipe for a here-string.
run() {
  local ms=100 end idle
  [[ $1 =~ \"ms\"[[:space:]]*:[[:space:]]*([0-9]{1,6}) ]] && ms=${BASH_REMATCH[1]}
  if ((ms > 0)); then
    exec {end}<<<'' {idle}<>"/proc/self/fd/$end"
    read -r -u "$idle"
    read -r -t "$((ms / 1000)).$(printf %03d "$((ms % 1000))")" -u "$idle"
    exec {end}<&- {idle}>&-
  fi
  printf '{"waitedMs": %d}' "$ms"
}
