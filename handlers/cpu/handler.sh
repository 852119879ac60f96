#!/bin/bash
# A fixed amount of CPU work, about 20 ms on a full core, in builtins alone: Bash's own arithmetic, a linear congruential
# generator. Its Duration falls as memory, and with it the CPU share, grows.
run() {
  local -i i x=12345
  for ((i = 0; i < 12000; i++)); do
    ((x = (x * 1103515245 + 12345) & 0x7fffffff))
  done
  printf '{"result": %d}' "$x"
}
