# shellcheck shell=bash
# Bash runs this text together with the script of a language, which follows it. $1 is the runtime's version, $2 Lambda's name of the
# architecture. The working folder is new. The script makes in it:
#   lang/, runtime/  the folders that are mounted at /var/lang and /var/runtime
#   env              lines NAME=value: the variables that provided.al2023 does not have, or has with another value
#   label            the versions in the stand-in
#   train            for Java: the files that only runs of the runtime can make (lab/train.go)
# npm, pip and Maven download with this machine's configuration. If a download has another digest than here, the preparation fails.
set -euo pipefail
umask 022
export PIP_ROOT_USER_ACTION=ignore # pip need not warn: it writes below the working folder only

need() { # need COMMAND PACKAGE...
  command -v "$1" >/dev/null || { echo "$1 is not in PATH: install ${*:2}" >&2; exit 1; }
}

from_npm() { # from_npm NAME VERSION SHA512: unpacks a package into the folder NAME
  need npm npm
  local file
  file=$(npm pack --silent --ignore-scripts "$1@$2")
  echo "$3  $file" | sha512sum --check --quiet
  mkdir "$1"
  tar -xzf "$file" --no-same-owner --strip-components=1 -C "$1"
  rm "$file"
}

from_pypi() { # from_pypi FOLDER VERSION PACKAGE==VERSION SHA256...: installs the package's wheel for that version of Python into FOLDER
  python3 -m pip --version >/dev/null 2>&1 || { echo "python3 -m pip does not run: install python3-pip" >&2; exit 1; }
  { echo "$3"; printf ' --hash=sha256:%s' "${@:4}"; } | tr -d '\n' >requirements
  python3 -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --only-binary=:all: --require-hashes --python-version "$2" --target "$1" -r requirements
  rm requirements
}

bootstrap() { # bootstrap COMMAND LINE...: writes the script that Lambda starts. The script runs the lines, then the command. If the
  # function sets AWS_LAMBDA_EXEC_WRAPPER, the script runs that program instead, with the command as its arguments.
  mkdir -p runtime
  {
    echo '#!/bin/bash'
    if (($# > 1)); then printf '%s\n' "${@:2}"; fi
    echo "exec \${AWS_LAMBDA_EXEC_WRAPPER:+\"\$AWS_LAMBDA_EXEC_WRAPPER\"} $1"
  } >runtime/bootstrap
  chmod 755 runtime/bootstrap
}

environment() { # environment NAME=VALUE...: writes env, with these variables and those that all languages have
  printf '%s\n' PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin \
    LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib "$@" >./env
}
