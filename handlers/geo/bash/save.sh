# shellcheck shell=bash disable=SC1090,SC1091,SC2015,SC2017,SC2034,SC2154 # files of the package, variables that texts sets
. "$LAMBDA_TASK_ROOT/geo.sh"

run() {
  local owner name lat lon x y cells=() item='' key value said
  texts "$1" owner name lat lon && point || { refuse && return; }
  cells
  local -A of=([pk]="RT:$owner" [sk]="$name#$LAMBDA_RUNTIME_AWS_REQUEST_ID" [gpk]=${cells[0]} [owner]=$owner [name]=$name [lat]=$lat [lon]=$lon)
  of[gsk]=${of[pk]}:${of[sk]}
  for key in "${!of[@]}"; do
    lambda_json_quote "${of[$key]}" value
    item+=",\"$key\":{\"S\":$value}"
    of[$key]=$value
  done
  said=$(table PutItem '{"TableName":"geo","Item":{'"${item#,}"'}}') || { echo "$said" >&2 && return 1; }
  answer "{\"pk\":${of[pk]},\"sk\":${of[sk]},\"gpk\":${of[gpk]}}"
}
