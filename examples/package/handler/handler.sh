# run is called for each event: it is in $1 and on standard input, and what run prints is the response.
run() {
  printf '{"message": "hello", "event": %s}' "$1"
}
