// Compares src/libc.c with the C library of this machine. libc_test.go compiles src/libc.c with own_ before the names of its functions.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

void *own_malloc(size_t), *own_realloc(void *, size_t), *own_calloc(size_t, size_t);
void own_free(void *);
void *own_memcpy(void *, const void *, size_t), *own_memmove(void *, const void *, size_t), *own_memset(void *, int, size_t), *own_memchr(const void *, int, size_t);
char *own_stpcpy(char *, const char *), *own_strcpy(char *, const char *), *own_strchr(const char *, int);
size_t own_strlen(const char *);
char *own_strdup(const char *), *own_strndup(const char *, size_t);
wchar_t *own_wcsdup(const wchar_t *);
int own_strcmp(const char *, const char *), own_strncmp(const char *, const char *, size_t);
void own_qsort(void *, size_t, size_t, int (*)(const void *, const void *));

#define CHECK(what) if (!(what)) { puts(#what); exit(1); }

static unsigned below(unsigned n) {
  static unsigned seed = 1;
  seed = seed * 1664525 + 1013904223;
  return (seed >> 8) % n;
}

static int sign(int x) { return (x > 0) - (x < 0); }

static void strings(void) {
  static char a[800], b[800], c[800];
  int from = below(32), to = below(32), length = below(below(10) ? 40 : 600);
  for (size_t i = 0; i < sizeof a; i++)
    a[i] = below(4) ? below(3) + (below(2) ? 127 : 1) : below(256);
  char *s = a + from;
  s[length] = 0;
  int ch = below(3) ? s[below(length + 1)] : (int)below(256);
  CHECK(strlen(s) == own_strlen(s))
  CHECK(strchr(s, ch) == own_strchr(s, ch))
  CHECK(memchr(s, ch, length) == own_memchr(s, ch, length))
  CHECK(memcpy(b + to, s, length) == b + to && own_memcpy(c + to, s, length) == c + to && !memcmp(b, c, sizeof b))
  CHECK(strcpy(b + to, s) == b + to && own_strcpy(c + to, s) == c + to && !memcmp(b, c, sizeof b))
  CHECK(stpcpy(b + to, s) - b == own_stpcpy(c + to, s) - c && !memcmp(b, c, sizeof b))
  memcpy(b, a, sizeof a), memcpy(c, a, sizeof a);
  CHECK(memmove(b + to, b + from, length) == b + to && own_memmove(c + to, c + from, length) == c + to && !memcmp(b, c, sizeof b))
  CHECK(memset(b + from, ch, length) == b + from && own_memset(c + from, ch, length) == c + from && !memcmp(b, c, sizeof b))
  memcpy(b, s, length + 1);
  if (length)
    b[below(length)] ^= below(256);
  int n = below(length + 5);
  CHECK(sign(strcmp(s, b)) == sign(own_strcmp(s, b)))
  CHECK(sign(strncmp(s, b, n)) == sign(own_strncmp(s, b, n)))
  char *d = own_strdup(s), *e = own_strndup(s, n);
  CHECK(!strcmp(d, s) && !strncmp(e, s, n) && strlen(e) == strnlen(s, n))
  own_free(d), own_free(e);
  memcpy(c, b, sizeof b);
}

static void memory(void) {
  enum { blocks = 3000 };
  static unsigned char *at[blocks];
  static size_t size[blocks];
  int i = below(blocks), what = below(3);
  size_t n = below(20) ? below(200) : below(50) ? below(20000) : below(20) ? below(400000) : below(9000000);
  size_t kept = at[i] && what == 1 && n < size[i] ? n : size[i];
  if (at[i] && what == 1)
    at[i] = own_realloc(at[i], n);
  for (size_t k = 0; at[i] && k < kept; k += 1 + kept / 50)
    CHECK(at[i][k] == (unsigned char)(i + k))
  if (at[i] && what == 0) {
    own_free(at[i]), at[i] = NULL;
    return;
  }
  if (!at[i]) {
    at[i] = what ? own_malloc(n) : own_calloc(n, 1);
    for (size_t k = 0; !what && k < n; k++)
      CHECK(at[i][k] == 0)
  } else if (what == 2)
    return;
  CHECK((size_t)at[i] % 16 == 0)
  size[i] = n;
  for (size_t k = 0; k < n; k++)
    at[i][k] = i + k;
}

static size_t element;

static int compare(const void *a, const void *b) { return memcmp(a, b, element); }

static void sorting(void) {
  static char a[400 * 40], b[sizeof a];
  static const size_t sizes[] = {1, 4, 8, 12, 16, 24, 40};
  element = sizes[below(7)];
  size_t n = below(below(10) ? 20 : 400);
  for (size_t i = 0; i < n * element; i++)
    a[i] = b[i] = below(below(2) ? 3 : 256);
  qsort(a, n, element, compare), own_qsort(b, n, element, compare);
  CHECK(!memcmp(a, b, n * element))
}

int main(void) {
  for (int i = 0; i < 20000; i++)
    sorting();
  for (int i = 0; i < 200000; i++)
    strings();
  for (int i = 0; i < 50000; i++)
    memory();
  wchar_t *w = own_wcsdup(L"wide");
  CHECK(!wcscmp(w, L"wide"))
  own_free(w);
  CHECK(!own_malloc(-1) && !own_malloc(1L << 62) && !own_calloc(1L << 40, 1L << 40))
  return 0;
}
