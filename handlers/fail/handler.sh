#!/bin/bash
# Fails as handlers do: writes half a response, a message with quotes and a byte that is not UTF-8, and returns 3.
run() {
  printf '{"half": '
  printf 'cannot open "%s": \xff\\ no such thing\n' "a file" >&2
  return 3
}
