# shellcheck shell=bash disable=SC1090,SC1091,SC2015,SC2017,SC2034,SC2154 # files of the package, variables that texts sets
. "$LAMBDA_TASK_ROOT/geo.sh"

run() {
  local owner lat lon radius x y cells=() pages=() cos i jobs=() status=0
  texts "$1" owner lat lon radius && point && number "$radius" 1000000000 radius || { refuse && return; }
  cells
  for i in {0..8}; do
    query "${cells[i]}" >"/tmp/page-$i" &
    jobs[i]=$!
  done
  for i in {0..8}; do
    wait "${jobs[i]}" || status=1
    pages[i]=$(<"/tmp/page-$i")
  done
  if ((status)); then
    echo "${pages[@]}" >&2
    return 1
  fi
  found "${pages[@]}"
}
