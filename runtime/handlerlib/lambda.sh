# shellcheck shell=bash
# Twinstart's library for handlers: . "$TWINSTART_LIB". Only lambda_aws forks. docs/handler-contract.md describes
# its functions.
# shellcheck disable=SC1003 # no escaped quotes, but backslashes
# The last argument, VARIABLE, takes the result, because $(...) would fork. Without it the result is printed.

# lambda_remaining_ms [VARIABLE]: milliseconds until the event's deadline.
lambda_remaining_ms() {
  local _tw_now=${EPOCHREALTIME/[^0-9]/} _tw_until=${LAMBDA_RUNTIME_DEADLINE_MS//[!0-9]/} # arithmetic would evaluate anything else
  _lambda_give "$((10#${_tw_until:-0} - _tw_now / 1000))" "${1-}"
}

_lambda_give() { # VALUE [VARIABLE]
  if [[ ${2-} ]]; then printf -v "$2" %s "$1"; else printf '%s\n' "$1"; fi
}

# lambda_json_quote STRING [VARIABLE]: the string as JSON, with quotes. Invalid UTF-8 becomes U+FFFD.
lambda_json_quote() {
  local LC_ALL=C _tw_in=$1 _tw_out='' _tw_part _tw_byte _tw_n
  _tw_in=${_tw_in//\\/'\\'}
  _tw_in=${_tw_in//\"/'\"'}
  _tw_in=${_tw_in//$'\n'/'\n'}
  _tw_in=${_tw_in//$'\t'/'\t'}
  _tw_in=${_tw_in//$'\r'/'\r'}
  while [[ $_tw_in == *[$'\x01'-$'\x1f']* ]]; do
    _tw_byte=${_tw_in#"${_tw_in%%[$'\x01'-$'\x1f']*}"}
    _tw_byte=${_tw_byte:0:1}
    printf -v _tw_part '\\u%04x' "'$_tw_byte"
    _tw_in=${_tw_in//"$_tw_byte"/"$_tw_part"}
  done
  while [[ $_tw_in == *[$'\x80'-$'\xff']* ]]; do
    _tw_part=${_tw_in%%[$'\x80'-$'\xff']*}
    _tw_out+=$_tw_part _tw_in=${_tw_in:${#_tw_part}}
    case $_tw_in in # well-formed sequences: Unicode, table 3-7
      [$'\xc2'-$'\xdf'][$'\x80'-$'\xbf']*) _tw_n=2 ;;
      $'\xe0'[$'\xa0'-$'\xbf'][$'\x80'-$'\xbf']*) _tw_n=3 ;;
      $'\xed'[$'\x80'-$'\x9f'][$'\x80'-$'\xbf']*) _tw_n=3 ;;
      [$'\xe1'-$'\xec'$'\xee\xef'][$'\x80'-$'\xbf'][$'\x80'-$'\xbf']*) _tw_n=3 ;;
      $'\xf0'[$'\x90'-$'\xbf'][$'\x80'-$'\xbf'][$'\x80'-$'\xbf']*) _tw_n=4 ;;
      [$'\xf1'-$'\xf3'][$'\x80'-$'\xbf'][$'\x80'-$'\xbf'][$'\x80'-$'\xbf']*) _tw_n=4 ;;
      $'\xf4'[$'\x80'-$'\x8f'][$'\x80'-$'\xbf'][$'\x80'-$'\xbf']*) _tw_n=4 ;;
      *) _tw_n=0 _tw_out+=$'\xef\xbf\xbd' _tw_in=${_tw_in:1} ;;
    esac
    _tw_out+=${_tw_in:0:_tw_n} _tw_in=${_tw_in:_tw_n}
  done
  _lambda_give "\"$_tw_out$_tw_in\"" "${2-}"
}

# lambda_json_get JSON PATH [VARIABLE]: the value at a path of keys and indexes, "requestContext.http.method" or
# "Records.0.body". A dot in a key is written \. and the empty path means the whole document. A string is decoded,
# without NUL characters; other values stay as they are. Status 1: no such value. Status 2: malformed JSON before
# the value, and a message on stderr.
#
# A string operation of Bash takes time in proportion to the length. So the document is cut at its quotes
# once, and then read piece by piece: _tw_rest is the rest of piece _tw_at, which is outside JSON strings.
lambda_json_get() {
  local - LC_ALL=C IFS=\" _tw_at=0 _tw_rest _tw_path=$2 _tw_key _tw_value _tw_index
  set -f
  # shellcheck disable=SC2206 # to be split
  local -a _tw_pieces=($1' ')
  _tw_rest=${_tw_pieces[0]}
  while [[ $_tw_path ]]; do
    _tw_key=''
    while [[ $_tw_path == *\\.* && ${_tw_path%%.*} == *\\ ]]; do # a key with a dot
      _tw_key+=${_tw_path%%.*}
      _tw_key=${_tw_key%\\}.
      _tw_path=${_tw_path#*.}
    done
    _tw_key+=${_tw_path%%.*}
    if [[ $_tw_path == *.* ]]; then _tw_path=${_tw_path#*.}; else _tw_path=''; fi
    _lambda_json_space
    case $_tw_rest in
      '{'*) _lambda_json_member || return ;;
      '['*)
        [[ $_tw_key && $_tw_key != *[!0-9]* && ${#_tw_key} -lt 10 ]] || return 1
        _tw_index=$((10#$_tw_key))
        _lambda_json_element || return
        ;;
      *) return 1 ;;
    esac
  done
  _lambda_json_take || return
  [[ $_tw_value != \"* ]] || _lambda_json_decode
  _lambda_give "$_tw_value" "${3-}"
}

_lambda_json_malformed() {
  printf 'lambda_json_get: malformed JSON: %s at "%s"\n' "$1" "${_tw_rest:0:40}" >&2
  return 2
}

_lambda_json_space() {
  [[ $_tw_rest != [$' \t\r\n']* ]] || _tw_rest=${_tw_rest#"${_tw_rest%%[!$' \t\r\n']*}"}
}

# _lambda_json_member moves to the value of the member _tw_key.
_lambda_json_member() {
  _tw_rest=${_tw_rest:1}
  _lambda_json_space
  [[ $_tw_rest != '}'* ]] || return 1
  while :; do
    [[ ! $_tw_rest ]] || { _lambda_json_malformed 'want a key' || return; }
    _lambda_json_take || return
    _lambda_json_decode
    _lambda_json_space
    [[ $_tw_rest == :* ]] || { _lambda_json_malformed 'want a colon' || return; }
    _tw_rest=${_tw_rest:1}
    _lambda_json_space
    [[ $_tw_value != "$_tw_key" ]] || return 0
    _lambda_json_take skip || return
    _lambda_json_space
    case $_tw_rest in
      ,*) _tw_rest=${_tw_rest:1} && _lambda_json_space ;;
      '}'*) return 1 ;;
      *) _lambda_json_malformed 'want a comma or }' || return ;;
    esac
  done
}

# _lambda_json_element moves to the element _tw_index.
_lambda_json_element() {
  _tw_rest=${_tw_rest:1}
  _lambda_json_space
  [[ $_tw_rest != ']'* ]] || return 1
  while ((_tw_index-- > 0)); do
    _lambda_json_take skip || return
    _lambda_json_space
    case $_tw_rest in
      ,*) _tw_rest=${_tw_rest:1} && _lambda_json_space ;;
      ']'*) return 1 ;;
      *) _lambda_json_malformed 'want a comma or ]' || return ;;
    esac
  done
}

# _lambda_json_take [skip] moves past one value and stores its text in _tw_value.
_lambda_json_take() {
  local _tw_from _tw_first _tw_part
  _lambda_json_space
  case $_tw_rest in
    '')
      _tw_from=$_tw_at
      _lambda_json_string || return
      [[ ${1-} ]] || _tw_value="\"${_tw_pieces[*]:_tw_from+1:_tw_at-_tw_from-1}\""
      ;;
    '{'* | '['*)
      _tw_from=$_tw_at _tw_first=$_tw_rest
      _lambda_json_nested || return
      if [[ ${1-} ]]; then
        :
      elif ((_tw_from == _tw_at)); then
        _tw_value=${_tw_first:0:${#_tw_first}-${#_tw_rest}}
      else
        _tw_part=${_tw_pieces[_tw_at]}
        _tw_value="$_tw_first\"${_tw_pieces[*]:_tw_from+1:_tw_at-_tw_from-1}\"${_tw_part:0:${#_tw_part}-${#_tw_rest}}"
      fi
      ;;
    *)
      _tw_part=${_tw_rest%%[!-+.0-9a-zA-Z]*}
      [[ $_tw_part =~ ^(true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?)$ ]] ||
        { _lambda_json_malformed 'want a value' || return; }
      _tw_rest=${_tw_rest:${#_tw_part}}
      [[ ${1-} ]] || _tw_value=$_tw_part
      ;;
  esac
}

# _lambda_json_string moves past the string that starts after this piece.
_lambda_json_string() {
  local _tw_end
  while :; do
    _tw_at=$((_tw_at + 1))
    _tw_end=${_tw_pieces[_tw_at]-}
    [[ $_tw_end == *\\ ]] || break
    _tw_end=${_tw_end##*[!\\]}
    ((${#_tw_end} % 2)) || break # after an odd number of \ the quote is part of the string
  done
  _tw_at=$((_tw_at + 1))
  ((_tw_at < ${#_tw_pieces[@]})) || { _tw_rest='' && _lambda_json_malformed 'want a value, or the end of a string,' || return; }
  _tw_rest=${_tw_pieces[_tw_at]}
}

# _lambda_json_nested moves past an object or array without checking its content.
_lambda_json_nested() {
  local _tw_depth=0 _tw_brackets _tw_n
  while :; do
    _tw_brackets=${_tw_rest//[!\]\[\{\}]/}
    for ((_tw_n = 0; _tw_n < ${#_tw_brackets}; _tw_n++)); do
      case ${_tw_brackets:_tw_n:1} in
        '{' | '[') _tw_depth=$((_tw_depth + 1)) ;;
        *)
          _tw_depth=$((_tw_depth - 1))
          ((_tw_depth)) || break 2
          ;;
      esac
    done
    _lambda_json_string || return
  done
  for ((; _tw_n >= 0; _tw_n--)); do
    _tw_rest=${_tw_rest#*[\]\[\{\}]}
  done
}

# _lambda_json_decode decodes the JSON string in _tw_value.
_lambda_json_decode() {
  local _tw_in=${_tw_value:1:${#_tw_value}-2} _tw_out='' _tw_part _tw_code _tw_low
  while [[ $_tw_in == *\\* ]]; do
    _tw_part=${_tw_in%%\\*}
    _tw_out+=$_tw_part _tw_in=${_tw_in:${#_tw_part}+1}
    case $_tw_in in
      n*) _tw_out+=$'\n' ;;
      t*) _tw_out+=$'\t' ;;
      r*) _tw_out+=$'\r' ;;
      b*) _tw_out+=$'\b' ;;
      f*) _tw_out+=$'\f' ;;
      u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F]*)
        _tw_code=$((16#${_tw_in:1:4})) _tw_in=${_tw_in:4}
        if ((_tw_code >> 10 == 0x36)) && [[ $_tw_in =~ ^.\\u([dD][c-fC-F][0-9a-fA-F][0-9a-fA-F]) ]]; then
          _tw_low=$((16#${BASH_REMATCH[1]})) _tw_in=${_tw_in:6}
          ((_tw_code = 0x10000 + ((_tw_code & 0x3ff) << 10) + (_tw_low & 0x3ff)))
        elif ((_tw_code >> 11 == 0x1b)); then
          _tw_code=0xfffd # half of a pair
        fi
        _lambda_utf8
        ;;
      *) _tw_out+=${_tw_in:0:1} ;;
    esac
    _tw_in=${_tw_in:1}
  done
  _tw_value=$_tw_out$_tw_in
}

_lambda_utf8() { # of _tw_code, onto _tw_out
  local _tw_bytes
  if ((_tw_code < 0x80)); then
    printf -v _tw_bytes '\\x%02x' $((_tw_code))
  elif ((_tw_code < 0x800)); then
    printf -v _tw_bytes '\\x%02x' $((0xc0 | _tw_code >> 6)) $((0x80 | _tw_code & 0x3f))
  elif ((_tw_code < 0x10000)); then
    printf -v _tw_bytes '\\x%02x' $((0xe0 | _tw_code >> 12)) $((0x80 | _tw_code >> 6 & 0x3f)) $((0x80 | _tw_code & 0x3f))
  else
    printf -v _tw_bytes '\\x%02x' $((0xf0 | _tw_code >> 18)) $((0x80 | _tw_code >> 12 & 0x3f)) $((0x80 | _tw_code >> 6 & 0x3f)) \
      $((0x80 | _tw_code & 0x3f))
  fi
  [[ $_tw_bytes == '\x00' ]] || printf -v _tw_bytes %b "$_tw_bytes"
  [[ $_tw_bytes == '\x00' ]] || _tw_out+=$_tw_bytes
}

# lambda_log LEVEL MESSAGE [NAME VALUE ...] writes a line to stderr if AWS_LAMBDA_LOG_LEVEL (INFO) allows the level:
# TRACE, DEBUG, INFO, WARN, ERROR or FATAL in any case. It is a JSON object, or text if AWS_LAMBDA_LOG_FORMAT=Text.
lambda_log() {
  local _tw_levels=' TRACE=1 DEBUG=2 INFO=3 WARN=4 ERROR=5 FATAL=6 ' _tw_level=${1^^} _tw_least=${AWS_LAMBDA_LOG_LEVEL:-INFO} _tw_line _tw_rank _tw_json
  _tw_least=${_tw_least^^}
  [[ $_tw_levels == *" $_tw_level="* ]] || _tw_level=INFO
  [[ $_tw_levels == *" $_tw_least="* ]] || _tw_least=INFO
  _tw_rank=${_tw_levels#* "$_tw_level"=} _tw_least=${_tw_levels#* "$_tw_least"=}
  ((${_tw_rank:0:1} >= ${_tw_least:0:1})) || return 0
  TZ=UTC0 printf -v _tw_line '%(%Y-%m-%dT%H:%M:%S)T' -1
  _tw_json=${EPOCHREALTIME#*[^0-9]}
  _tw_line+=.${_tw_json:0:3}Z
  if [[ ${AWS_LAMBDA_LOG_FORMAT-} == [Tt][Ee][Xx][Tt] ]]; then
    _tw_line+=" $_tw_level ${LAMBDA_RUNTIME_AWS_REQUEST_ID-} ${2-}"
    shift $(($# < 2 ? $# : 2))
    while (($#)); do
      _tw_line+=" $1=${2-}"
      shift $(($# < 2 ? $# : 2))
    done
  else
    lambda_json_quote "${2-}" _tw_json
    _tw_line="{\"timestamp\":\"$_tw_line\",\"level\":\"$_tw_level\",\"message\":$_tw_json"
    lambda_json_quote "${LAMBDA_RUNTIME_AWS_REQUEST_ID-}" _tw_json
    _tw_line+=",\"requestId\":$_tw_json"
    shift $(($# < 2 ? $# : 2))
    while (($#)); do
      lambda_json_quote "$1" _tw_json
      _tw_line+=",$_tw_json"
      lambda_json_quote "${2-}" _tw_json
      _tw_line+=:$_tw_json
      shift $(($# < 2 ? $# : 2))
    done
    _tw_line+='}'
  fi
  printf '%s\n' "$_tw_line" >&2
}

# lambda_stream [CONTENT-TYPE]: from now on the response leaves as it is written. Status 1: this bootstrap cannot
# stream.
lambda_stream() {
  if [[ ! ${TWINSTART_STREAM-} ]]; then
    printf '%s\n' 'lambda_stream: this bootstrap does not stream responses: use rawsyscall' >&2
    return 1
  fi
  printf '%s %s\n' "$LAMBDA_RUNTIME_AWS_REQUEST_ID" "${1-application/octet-stream}" >"$TWINSTART_STREAM"
}

# lambda_stream_http [PRELUDE]: the same for a function URL or an API. The prelude is JSON with status, headers and
# cookies: {"statusCode": 200, "headers": {"Content-Type": "text/html"}}.
lambda_stream_http() {
  lambda_stream application/vnd.awslambda.http-integration-response || return
  printf '%s\0\0\0\0\0\0\0\0' "${1-"{\"statusCode\":200}"}"
}

# lambda_aws SERVICE PATH [CURL ARGUMENT ...]: calls an AWS service in the function's region with curl, signed
# (SigV4) with the environment's credentials. Prints the answer. Status 22: the service refused and the answer says
# why; 1: nothing was sent.
#
#   lambda_aws dynamodb / -H 'content-type: application/x-amz-json-1.0' -H 'x-amz-target: DynamoDB_20120810.GetItem' -d "$request"
lambda_aws() {
  local _tw_service=${1-} _tw_path=${2-} _tw_region=${AWS_REGION:-${AWS_DEFAULT_REGION-}} _tw_base _tw_name
  local _tw_key=${AWS_ACCESS_KEY_ID-} _tw_secret=${AWS_SECRET_ACCESS_KEY-} _tw_token=${AWS_SESSION_TOKEN-} _tw_config
  if [[ ! $_tw_service =~ ^[a-z0-9.-]+$ || $_tw_path != /* ]]; then
    printf '%s\n' "lambda_aws: want a service and a path, as in: lambda_aws dynamodb / -d '{}'" >&2
    return 1
  fi
  if [[ ! $_tw_key && ${AWS_CONTAINER_CREDENTIALS_FULL_URI-} ]]; then # SnapStart: ask each time, because keys change
    _tw_config=$(curl --config /proc/self/fd/9 --noproxy '*' -sSf "$AWS_CONTAINER_CREDENTIALS_FULL_URI" \
      9<<<"header = \"Authorization: ${AWS_CONTAINER_AUTHORIZATION_TOKEN-}\"") || return 1
    _tw_key=$(lambda_json_get "$_tw_config" AccessKeyId) || :
    _tw_secret=$(lambda_json_get "$_tw_config" SecretAccessKey) || :
    _tw_token=$(lambda_json_get "$_tw_config" Token) || :
  fi
  if [[ ! $_tw_key || ! $_tw_secret || ! $_tw_region || $_tw_key$_tw_secret$_tw_token$_tw_region == *[!A-Za-z0-9/+=._-]* ]]; then
    printf '%s\n' 'lambda_aws: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_REGION is missing or malformed' >&2
    return 1
  fi
  if [[ ! ${_lambda_curl-} ]]; then # ask once; older versions do not sign the session's token, so services refuse
    _lambda_curl=$(curl --version 2>/dev/null) || _lambda_curl=none
  fi
  if [[ ! $_lambda_curl =~ ^curl\ ([0-9]+)\.([0-9]+) ]] || ((BASH_REMATCH[1] * 1000 + BASH_REMATCH[2] < 7088)); then
    printf 'lambda_aws: install curl 7.88 or later, which signs requests; found: %s\n' "${_lambda_curl%%[(-]*}" >&2
    _lambda_curl=
    return 1
  fi
  _tw_name=AWS_ENDPOINT_URL_${_tw_service^^}
  _tw_name=${_tw_name//[.-]/_} _tw_base=amazonaws.com
  [[ $_tw_region != cn-* ]] || _tw_base+=.cn
  _tw_base=${!_tw_name:-${AWS_ENDPOINT_URL:-https://$_tw_service.$_tw_region.$_tw_base}}
  shift 2
  # Every process of the environment can read arguments, so use a file.
  _tw_config="user = \"$_tw_key:$_tw_secret\""${_tw_token:+$'\n'"header = \"x-amz-security-token: $_tw_token\""}
  curl --config /proc/self/fd/9 --silent --show-error --fail-with-body --aws-sigv4 "aws:amz:$_tw_region:$_tw_service" "$@" \
    "${_tw_base%/}$_tw_path" 9<<<"$_tw_config"
}
