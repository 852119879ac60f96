#!/bin/bash
# Returns its event, as echo does. With TWINSTART_EXTENSION=internal an extension starts with it, in its process.
if [[ ${TWINSTART_EXTENSION:-} == internal ]]; then
  # shellcheck source=handlers/levers/extension.sh
  . "$LAMBDA_TASK_ROOT/extension.sh"
fi

run() {
  printf %s "$1"
}
