#!/bin/bash
# A minimal extension: it registers, and then waits for the events that it asked for. As a program (/opt/extensions/extension.sh)
# it is an external one; sourced by a handler it is an internal one, which registers during INIT and waits in the background.
# https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html

# extension_call sends a request and leaves the answer's identifier in $extension_id and its body in $extension_event.
extension_call() { # method path header body
  local line length=0
  exec {extension_fd}<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API%:*}/${AWS_LAMBDA_RUNTIME_API##*:}" || return
  printf '%s /2020-01-01/extension/%s HTTP/1.1\r\nHost: %s\r\n%s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' \
    "$1" "$2" "$AWS_LAMBDA_RUNTIME_API" "$3" "${#4}" "$4" >&"$extension_fd"
  while IFS= read -r line <&"$extension_fd" && line=${line%$'\r'} && [[ $line ]]; do
    case ${line,,} in
      lambda-extension-identifier:*) extension_id=${line#*: } ;;
      content-length:*) length=${line#*: } ;;
    esac
  done
  extension_event=
  LC_ALL=C IFS= read -r -N "$length" extension_event <&"$extension_fd"
  exec {extension_fd}>&-
}

extension_wait() {
  while extension_call GET event/next "Lambda-Extension-Identifier: $extension_id" "" && [[ $extension_event == *'"INVOKE"'* ]]; do :; done
}

if [[ $0 == "${BASH_SOURCE[0]}" ]]; then
  extension_call POST register "Lambda-Extension-Name: ${0##*/}" '{"events":["INVOKE","SHUTDOWN"]}'
  extension_wait
else
  extension_call POST register 'Lambda-Extension-Name: internal' '{"events":["INVOKE"]}'
  extension_wait </dev/null >/dev/null 2>&1 &
fi
