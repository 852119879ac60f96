#!/bin/bash
# Greets the name in its event, or the world. The name is the text between quotes in the event, with its escapes, so
# it can be put between quotes again unchanged.
run() {
  local name=world
  [[ $1 =~ \"name\"[[:space:]]*:[[:space:]]*\"(([^\"\\]|\\.)*)\" ]] && name=${BASH_REMATCH[1]}
  printf '{"message": "hello, %s"}' "$name"
}
