# shellcheck shell=bash disable=SC1090,SC1091,SC2015,SC2017,SC2034,SC2154 # files of the package, variables that texts sets
. "$LAMBDA_TASK_ROOT/geo.sh"

run() {
  local owner lat lon radius x y cells=() pages=() cos cell page
  texts "$1" owner lat lon radius && point && number "$radius" 1000000000 radius || { refuse && return; }
  cells
  for cell in "${cells[@]}"; do
    page=$(query "$cell") || { echo "$page" >&2 && return 1; }
    pages+=("$page")
  done
  found "${pages[@]}"
}
