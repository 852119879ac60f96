#!/bin/bash
# Fails as handlers do in the wild: half a response, then a message with quotes and a byte that is no UTF-8, then a status.
run() {
  printf '{"half": '
  printf 'cannot open "%s": \xff\\ no such thing\n' "a file" >&2
  return 3
}
