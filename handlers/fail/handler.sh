#!/bin/bash
# Fails as real handlers do: it writes half a response, a message with quotes and a byte that is not UTF-8, then a
# status.
run() {
  printf '{"half": '
  printf 'cannot open "%s": \xff\\ no such thing\n' "a file" >&2
  return 3
}
