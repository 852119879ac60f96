# shellcheck shell=bash
# What the worker of bashtcp learns from the first answers, once the first response has left.
# shellcheck disable=SC2154 # the variables of worker.sh

[[ $tw_source == learn ]] || builtin return 0
# tw_learn counts what all answers of this kind have in common.
tw_learn() { # KIND
  builtin local IFS=$'\r\n' tw_line
  # Less the 17 bytes, plus "Content-Length: 1" and two line ends.
  tw_floor[$1]=4
  for tw_line in $tw_head; do
    case $tw_line in
      # Another than a UUID may have any length.
      Lambda-Runtime-Aws-Request-Id:*) ((tw_floor[$1] += ${#tw_id} == 36 ? 69 : 33)) ;;
      HTTP/* | Date:* | Content-Type:* | Lambda-Runtime-Deadline-Ms:*) ((tw_floor[$1] += ${#tw_line} + 2)) ;;
      # The next event may come without this one's alias.
      Lambda-Runtime-Invoked-Function-Arn:*)
        tw_part=${tw_arn#*:*:*:*:*:*:*:}
        ((tw_floor[$1] += ${#tw_line} + 2))
        [[ $tw_part == "$tw_arn" ]] || ((tw_floor[$1] -= ${#tw_part} + 1))
        ;;
    esac
  done
}
