# run is called for each event. The event is in $1 and on standard input; the output of run is the response.
run() {
  printf '{"message": "hello", "event": %s}' "$1"
}
