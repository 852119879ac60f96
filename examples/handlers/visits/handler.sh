#!/bin/bash
# Answers a visit with the page's count in the table. Code outside of functions runs once, during INIT.
# shellcheck disable=SC1090 # the bootstrap knows where the library is
. "$TWINSTART_LIB"
started=$EPOCHSECONDS

# An event is in $1: a request to the function's URL, or the schedule's tick.
run() {
  local page item visits
  if [[ $1 == *'"aws.events"'* ]]; then
    printf '{"tick": true, "upSeconds": %d}' "$((EPOCHSECONDS - started))"
    return
  fi
  lambda_json_get "$1" rawPath page || page=/
  lambda_json_quote "$page" page
  item=$(lambda_aws dynamodb / -H 'content-type: application/x-amz-json-1.0' -H 'x-amz-target: DynamoDB_20120810.GetItem' \
    -d "{\"TableName\": \"$TABLE\", \"Key\": {\"page\": {\"S\": $page}}}") || return
  lambda_json_get "$item" Item.visits.N visits || visits=0
  printf '{"statusCode": 200, "headers": {"content-type": "application/json"}, "body": "{\\"visits\\": %d}"}' "$visits"
}
