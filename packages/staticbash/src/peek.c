// With these functions the builtin read takes a line from a socket with few system calls. Without them it makes a
// system call for each byte, so that it takes no byte of the next line. recipe.sh makes read.def call them. They look
// at the bytes that have arrived, find the end of the line, and take the bytes up to it.
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

ssize_t zread(int fd, char *to, size_t n); // Bash's read(2): it waits for a byte, and lets traps run meanwhile

static char line[4096];
static size_t at, taken; // taken: bytes that line has; at: how many of them peek_read has returned
static int socket_is_possible;

// peek_begin must be called before each line.
void peek_begin(void) {
  at = taken = 0;
  socket_is_possible = 1;
}

// peek_read does what zread(fd, c, 1) does. From a socket it may take more bytes at once, but none after the delimiter.
// If nothing has arrived, or fd is not a socket, it calls zread.
ssize_t peek_read(int fd, char *c, int delimiter) {
  if (at == taken) {
    ssize_t n = socket_is_possible ? recv(fd, line, sizeof line, MSG_PEEK | MSG_DONTWAIT) : -1;
    if (n < 0 && errno == ENOTSOCK)
      socket_is_possible = 0;
    if (n > 0) {
      const char *end = memchr(line, delimiter, n);
      n = recv(fd, line, end ? end - line + 1 : n, MSG_DONTWAIT);
    }
    if (n <= 0)
      return zread(fd, c, 1);
    at = 0, taken = n;
  }
  *c = line[at++];
  return 1;
}
