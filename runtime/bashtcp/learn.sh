# shellcheck shell=bash
# What the worker of bashtcp learns from the first answers of a kind, once the first response has left: what all of them have in common. In no function,
# and with no local variable: those take parts of the static Bash that nothing else at a start does.
# shellcheck disable=SC2004,SC2154 # the variables of worker.sh

[[ $tw_source == learn ]] || builtin return 0
IFS=$'\r\n'
# Less the 17 bytes, plus "Content-Length: 1" and two line ends.
tw_floor[tw_kind]=4
for tw_line in $tw_head; do
  case $tw_line in
    # Another than a UUID may have any length.
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
