# shellcheck shell=bash disable=SC1090,SC1091,SC2015,SC2017,SC2034,SC2154 # files of the package, variables that texts sets
. "$LAMBDA_TASK_ROOT/geo.sh"

run() {
  local lat lon radius x y fields=() field
  texts "$1" lat lon radius && point || { refuse && return; }
  for field in "$lat" "$lon" "$radius"; do lambda_json_quote "$field" "fields[${#fields[@]}]"; done
  answer "{\"lat\":${fields[0]},\"lon\":${fields[1]},\"radius\":${fields[2]}}"
}
