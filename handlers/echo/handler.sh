#!/bin/bash
# Returns its event. It uses builtins alone, so it runs on any base, and its cost is the bootstrap's.
run() {
  printf %s "$1"
}
