# shellcheck shell=bash
# Sourced before the script of a language, with the runtime's version and Lambda's name of the architecture. It works in a new folder, where it
# makes lang/ (mounted at /var/lang), runtime/ (at /var/runtime), env (NAME=value lines, over the environment of provided.al2023) and label.
# Downloads go by the machine's own configuration of npm, pip and Maven. If one has another digest than here, the preparation ends.
set -euo pipefail
umask 022
export PIP_ROOT_USER_ACTION=ignore # all goes below the working folder

need() { # need COMMAND PACKAGE...
  command -v "$1" >/dev/null || { echo "$1 is not in PATH: install ${*:2}" >&2; exit 1; }
}

from_npm() { # from_npm NAME VERSION SHA512: unpacks a package into a folder of its name
  need npm npm
  local file
  file=$(npm pack --silent --ignore-scripts "$1@$2")
  echo "$3  $file" | sha512sum --check --quiet
  mkdir "$1"
  tar -xzf "$file" --no-same-owner --strip-components=1 -C "$1"
  rm "$file"
}

from_pypi() { # from_pypi FOLDER VERSION PACKAGE==VERSION SHA256...: unpacks the wheel for a version of Python
  python3 -m pip --version >/dev/null 2>&1 || { echo "python3 -m pip does not run: install python3-pip" >&2; exit 1; }
  { echo "$3"; printf ' --hash=sha256:%s' "${@:4}"; } | tr -d '\n' >requirements
  python3 -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --only-binary=:all: --require-hashes --python-version "$2" --target "$1" -r requirements
  rm requirements
}

bootstrap() { # bootstrap COMMAND LINE...: what Lambda starts: the command, by the wrapper that the function may name
  mkdir -p runtime
  {
    echo '#!/bin/bash'
    if (($# > 1)); then printf '%s\n' "${@:2}"; fi
    echo "exec \${AWS_LAMBDA_EXEC_WRAPPER:+\"\$AWS_LAMBDA_EXEC_WRAPPER\"} $1"
  } >runtime/bootstrap
  chmod 755 runtime/bootstrap
}

environment() { # environment NAME=VALUE...: what the runtime sets, over the variables of provided.al2023
  printf '%s\n' PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin \
    LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib "$@" >./env
}
