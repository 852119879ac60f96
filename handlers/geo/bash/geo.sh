# shellcheck shell=bash disable=SC1090,SC1091,SC2015,SC2017,SC2034,SC2154
# What the functions share: the event, the answer, the cells of a map, the table. ../README.md has the rules.
. "$TWINSTART_LIB"

refuse() { printf '%s' '{"statusCode":400,"body":"{\"message\":\"bad request\"}"}'; }

answer() { # answer JSON
  local quoted
  lambda_json_quote "$1" quoted
  printf '{"statusCode":200,"body":%s}' "$quoted"
}

texts() { # texts EVENT NAME...: sets a variable for each
  local of field
  lambda_json_get "$1" body of && [[ $of == *[![:space:]]* ]] || return 1
  for field in "${@:2}"; do
    lambda_json_get "$of" "$field" "$field" || return 1
  done
}

number() { # number TEXT MOST VARIABLE: billionths, as Bash has whole numbers only
  [[ $1 =~ ^(-?)([0-9]{1,9})(\.([0-9]+))?$ ]] || return 1
  local fraction=${BASH_REMATCH[4]}000000000
  local n=$((10#${BASH_REMATCH[2]}${fraction:0:9}))
  ((n <= $2 * 1000000000)) || return 1
  printf -v "$3" %s "$((${BASH_REMATCH[1]}n))"
}

point() { number "$lat" 90 y && number "$lon" 180 x; }

hash() { # hash X Y VARIABLE: the geohash of a cell: 4 characters of 5 bits. Bits of x and y alternate
  local bits=0 bit alphabet=0123456789bcdefghjkmnpqrstuvwxyz
  for ((bit = 9; bit >= 0; bit--)); do ((bits = bits << 2 | ($1 >> bit & 1) << 1 | ($2 >> bit & 1))); done
  printf -v "$3" %s "${alphabet:bits>>15:1}${alphabet:bits>>10&31:1}${alphabet:bits>>5&31:1}${alphabet:bits&31:1}"
}

cells() { # sets cells: that of x and y and its eight neighbours, from the centre to the north, then clockwise
  local i cx=$(((x + 180000000000) * 1024 / 360000000000)) cy=$(((y + 90000000000) * 1024 / 180000000000))
  local dx=(0 0 1 1 1 0 -1 -1 -1) dy=(0 1 1 0 -1 -1 -1 0 1)
  ((cx > 1023 && (cx = 1023), cy > 1023 && (cy = 1023), 1))
  for i in {0..8}; do hash $((cx + dx[i] & 1023)) $((cy + dy[i] & 1023)) "cells[i]"; done
}

cosine() { # sets cos of y, in millionths, by its series
  local r=$((y / 1000 * 17453293 / 1000000)) n t=1000000000 sign=1 square
  ((square = r * r / 1000000000, cos = t))
  for n in 2 12 30 56 90; do ((t = t * (square / n) / 1000000000, sign = -sign, cos += sign * t)); done
  ((cos /= 1000))
}

near() { # near LAT LON MILLIMETRES: whether a point is that near x and y, on a map without the earth's curve
  local lat lon y2 x2 dy dx
  number "$1" 90 y2 && number "$2" 180 x2 || return 1
  ((dy = (y2 - y) / 10 * 111194930 / 100000000, dx = (x2 - x) / 10 * 111194930 / 100000000 * cos / 1000000))
  (($3 > 2000000000 || dy <= $3 && dy >= -$3 && dx <= $3 && dx >= -$3 && dx * dx + dy * dy <= $3 * $3))
}

table() { # table OPERATION REQUEST
  lambda_aws dynamodb / -H 'content-type: application/x-amz-json-1.0' -H "x-amz-target: DynamoDB_20120810.$1" -d "$2"
}

query() { # query CELL
  local start
  lambda_json_quote "RT:$owner:" start
  table Query '{"TableName":"geo","IndexName":"geo-index","KeyConditionExpression":"gpk = :g and begins_with(gsk, :o)","ExpressionAttributeValues":{":g":{"S":"'"$1"'"},":o":{"S":'"$start"'}}}'
}

found() { # found PAGE...: the answer to a search, if no name has }},{ in it
  local page rest piece items='' count=0 field name lat2 lon2
  cosine
  for page; do
    lambda_json_get "$page" Items rest
    rest=${rest#[} rest=${rest%]}
    while [[ $rest ]]; do # an item at a time, as Bash reads a page from its beginning for each field
      piece=${rest%%'}},{'*}
      if [[ $piece == "$rest" ]]; then rest=''; else rest='{'${rest#"$piece}},{"} piece+='}}'; fi
      lambda_json_get "$piece" name.S name
      lambda_json_get "$piece" lat.S lat2
      lambda_json_get "$piece" lon.S lon2
      near "$lat2" "$lon2" $((radius / 1000000)) || continue
      lambda_json_quote "$name" field
      items+=",{\"name\":$field,\"lat\":\"$lat2\",\"lon\":\"$lon2\"}"
      ((count += 1))
    done
  done
  answer "{\"count\":$count,\"items\":[${items#,}]}"
}
