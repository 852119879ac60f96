# shellcheck shell=bash disable=SC1090,SC1091,SC2154 # files of the environment, variables that the library sets
# Reads a setting, writes five items, and digests some MB. It has the habits that guides praise, except the one that TWINSTART_CODE names: inside
# (the library is sourced for each event), eager (a file is sourced that no event needs), fetched, single and cores, as in ../node/work.mjs,
# or forks (programs do what Bash can do). It keeps no connection: curl ends with each call.
lacks=${TWINSTART_CODE:-} table=${TABLE:-geo}
[[ $lacks == inside ]] || . "$TWINSTART_LIB"
[[ $lacks != eager ]] || . "$LAMBDA_TASK_ROOT/media.sh"

call() { # call OPERATION REQUEST
  lambda_aws dynamodb / -H 'content-type: application/x-amz-json-1.0' -H "x-amz-target: DynamoDB_20120810.$1" -d "$2"
}

setting() { # sets kept
  local said
  [[ ! ${kept-} || $lacks == fetched ]] || return 0
  said=$(call GetItem "{\"TableName\":\"$table\",\"Key\":{\"pk\":{\"S\":\"levers\"},\"sk\":{\"S\":\"setting\"}}}") || { echo "$said" >&2 && return 1; }
  lambda_json_get "$said" Item.value.S kept || kept=none
}

write() { # write ITEM...
  local item requests
  if [[ $lacks == single ]]; then
    for item; do call PutItem "{\"TableName\":\"$table\",\"Item\":$item}" || return; done
  else
    printf -v requests ',{"PutRequest":{"Item":%s}}' "$@"
    call BatchWriteItem "{\"RequestItems\":{\"$table\":[${requests:1}]}}"
  fi
}

first() { # first TEXT VARIABLE: its first word
  if [[ $lacks == forks ]]; then printf -v "$2" %s "$(cut -d ' ' -f 1 <<<"$1")"; else printf -v "$2" %s "${1%% *}"; fi
}

part() { # part BYTE MB: prints the byte and the digest of MB/4 of it
  local said
  said=$(head -c $(($2 << 18)) /dev/zero | tr '\0' "\\$1" | sha256sum)
  first "$said" said
  echo "$1 $said"
}

digest() { # digest MB VARIABLE
  local byte hex said parts=() escaped='' i
  while read -r byte hex; do parts[byte]=$hex; done <<<"$(for byte in {0..3}; do if [[ $lacks == cores ]]; then part "$byte" "$1"; else part "$byte" "$1" & fi; done; wait)"
  printf -v hex %s "${parts[@]}"
  for ((i = 0; i < ${#hex}; i += 2)); do escaped+="\\x${hex:i:2}"; done
  said=$(printf %b "$escaped" | sha256sum)
  first "$said" "$2"
}

run() {
  local mb items=() i said sum
  [[ $lacks != inside ]] || . "$TWINSTART_LIB"
  if [[ $lacks == forks ]]; then mb=$(tr -dc 0-9 <<<"$1"); else lambda_json_get "$1" mb mb || return; fi
  for i in {0..4}; do items+=("{\"pk\":{\"S\":\"levers\"},\"sk\":{\"S\":\"item-$i\"},\"value\":{\"S\":\"$mb\"}}"); done
  setting || return
  said=$(write "${items[@]}") || { echo "$said" >&2 && return 1; }
  digest "$mb" sum
  printf '{"setting":"%s","written":%d,"digest":"%s"}' "$kept" "${#items[@]}" "$sum"
}
