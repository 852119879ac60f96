#!/bin/bash
# Returns its event, as echo does. With TWINSTART_PRIME set it answers an event before a snapshot is taken (SnapStart), so that
# the snapshot has what the first event needs.
run() {
  printf %s "$1"
}

before_snapshot() {
  [[ -z ${TWINSTART_PRIME:-} ]] || run '{}' >/dev/null
}
