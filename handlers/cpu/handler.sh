#!/bin/bash
# Does a fixed amount of CPU work with builtins alone, about 20 ms on a full core: Bash computes a linear
# congruential generator. More memory brings more CPU, so its Duration falls.
run() {
  local -i i x=12345
  for ((i = 0; i < 12000; i++)); do
    ((x = (x * 1103515245 + 12345) & 0x7fffffff))
  done
  printf '{"result": %d}' "$x"
}
