# shellcheck shell=bash
# The worker of bashtcp learns here how long answers of a kind are at least, from the first one, after the first
# response has left. The code uses no function and no local variables: those need parts of the static Bash that a
# start does not use otherwise.
# shellcheck disable=SC2004,SC2154 # the variables of worker.sh

[[ $tw_source == learn ]] || builtin return 0
IFS=$'\r\n'
# 21 bytes for "Content-Length: 1" and two line ends, minus the 17 that were read before.
tw_floor[tw_kind]=4
for tw_line in $tw_head; do
  case $tw_line in
    # A request id that is not a UUID may have any length.
    Lambda-Runtime-Aws-Request-Id:*) ((tw_floor[tw_kind] += ${#tw_id} == 36 ? 69 : 33)) ;;
    # The next event may come without this one's alias.
    Lambda-Runtime-Invoked-Function-Arn:*)
      tw_part=${tw_arn#*:*:*:*:*:*:*:}
      ((tw_floor[tw_kind] += ${#tw_line} + 2))
      [[ $tw_part == "$tw_arn" ]] || ((tw_floor[tw_kind] -= ${#tw_part} + 1))
      ;;
    HTTP/* | Date:* | Content-Type:* | Lambda-Runtime-Deadline-Ms:*) ((tw_floor[tw_kind] += ${#tw_line} + 2)) ;;
  esac
done
IFS=''
