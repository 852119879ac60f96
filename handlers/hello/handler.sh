#!/bin/bash
# Greets the name in its event, or the world. The name is what stands between quotes in the event, escapes and all, so that it can
# be put between quotes again as it is.
run() {
  local name=world
  [[ $1 =~ \"name\"[[:space:]]*:[[:space:]]*\"(([^\"\\]|\\.)*)\" ]] && name=${BASH_REMATCH[1]}
  printf '{"message": "hello, %s"}' "$name"
}
