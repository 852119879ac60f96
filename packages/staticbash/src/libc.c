// These functions replace the ones of the C library in which a static Bash would spend half of its time. Zig's malloc
// is made for threads and debuggers, and Zig's other functions work byte by byte. The functions here are for one thread
// only. The linker takes them instead of the library's. Every function that allocates memory must be here, because free
// can only take blocks of this allocator.
#ifndef __clang__
// Without this GCC turns loops that copy into calls of memcpy, in memcpy itself too.
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <wchar.h>

// ---- Memory. The first 8 bytes of a block are its size, and malloc returns the address after them. Sizes count these
// 8 bytes and are multiples of 16. free puts a block into a list of free blocks of the same size, and malloc takes it
// from there, as in the allocators that this replaces: Bash asks for few sizes again and again. A large block is a
// mapping of its own.

#define SMALL 1024           // up to this size there is a list for each size, above it four for each power of two
#define LARGE (256 << 10)    // a block that is larger than this is a mapping
#define ARENA (1 << 20)      // the other blocks are cut from mappings of this size

static void *lists[SMALL / 16 + 1 + 4 * 8];
static char *next, *end;

#define SIZE(p) (((size_t *)(p))[-1])

// rounded returns the size of the block for a request of n bytes. lists[*list] is then the list of blocks of that size.
static inline size_t rounded(size_t n, size_t *list) {
  size_t size = (n + 8 + 15) & ~(size_t)15;
  if (size <= SMALL) {
    *list = size / 16;
    return size;
  }
  int step = 61 - __builtin_clzl(size - 1); // sizes are multiples of 1 << step, a quarter of the power of two below
  size = ((size - 1) >> step) + 1;
  *list = SMALL / 16 + 1 + (step - 8) * 4 + size - 5;
  return size << step;
}

static void *map(size_t n) {
  size_t size = (n + 16 + 4095) & ~(size_t)4095;
  char *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED)
    return NULL;
  SIZE(block + 16) = size;
  return block + 16;
}

void *malloc(size_t n) {
  size_t list;
  if (n > LARGE - 8)
    return n > PTRDIFF_MAX - 8192 ? errno = ENOMEM, NULL : map(n);
  size_t size = rounded(n, &list);
  void **block = lists[list];
  if (block) {
    lists[list] = *block;
    return block;
  }
  if (size > (size_t)(end - next)) {
    char *more = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (more == MAP_FAILED)
      return NULL;
    next = more + 16, end = more + ARENA;
  }
  block = (void **)next;
  next += size;
  SIZE(block) = size;
  return block;
}

void free(void *block) {
  size_t list;
  if (!block)
    return;
  if (SIZE(block) > LARGE) {
    int e = errno;
    munmap((char *)block - 16, SIZE(block));
    errno = e;
    return;
  }
  rounded(SIZE(block) - 8, &list);
  *(void **)block = lists[list];
  lists[list] = block;
}

void *realloc(void *block, size_t n) {
  if (!block)
    return malloc(n);
  size_t size = SIZE(block);
  if (size > LARGE) {
    if (n <= size - 16 && n > size / 2)
      return block;
    if (n > LARGE && n <= PTRDIFF_MAX - 8192) {
      size_t wanted = (n + (n > size ? n / 4 : 0) + 16 + 4095) & ~(size_t)4095;
      char *moved = mremap((char *)block - 16, size, wanted, MREMAP_MAYMOVE);
      if (moved == MAP_FAILED)
        return NULL;
      SIZE(moved + 16) = wanted;
      return moved + 16;
    }
    size -= 8;
  } else if (n <= size - 8)
    return block;
  void *moved = malloc(n);
  if (moved) {
    memcpy(moved, block, n < size - 8 ? n : size - 8);
    free(block);
  }
  return moved;
}

void *calloc(size_t count, size_t of) {
  size_t n;
  if (__builtin_mul_overflow(count, of, &n))
    return errno = ENOMEM, NULL;
  void *block = malloc(n);
  return block && n <= LARGE - 8 ? memset(block, 0, n) : block;
}

void *reallocarray(void *block, size_t count, size_t of) {
  size_t n;
  if (__builtin_mul_overflow(count, of, &n))
    return errno = ENOMEM, NULL;
  return realloc(block, n);
}

// Bash never asks for a larger alignment than malloc's. These functions are here so that free never gets a block of the
// library's allocator.
void *aligned_alloc(size_t alignment, size_t n) { return alignment > 16 ? errno = ENOMEM, NULL : malloc(n); }
void *memalign(size_t alignment, size_t n) { return aligned_alloc(alignment, n); }
int posix_memalign(void **block, size_t alignment, size_t n) { return alignment > 16 || !(*block = malloc(n)) ? ENOMEM : 0; }

// ---- Strings. Most of these functions take 8 or 16 bytes at a time. They read the whole word that has a string's end:
// the bytes after the end are in the same page, so they can be read.

typedef uint64_t __attribute__((may_alias)) word;
typedef uint64_t __attribute__((may_alias, aligned(1))) word1;
typedef uint32_t __attribute__((may_alias, aligned(1))) half1;
typedef unsigned char __attribute__((vector_size(16), may_alias, aligned(1))) block;

#define ONES (~(uint64_t)0 / 255)

// zero returns 0 if no byte of w is 0. Otherwise the lowest bit that is set is in the first byte that is 0.
static inline uint64_t zero(uint64_t w) { return (w - ONES) & ~w & ONES << 7; }

size_t strlen(const char *s) {
  const word *p = (const word *)((uintptr_t)s & ~(uintptr_t)7);
  unsigned skip = ((uintptr_t)s & 7) * 8;
  uint64_t found = zero(*p | (((uint64_t)1 << skip) - 1));
  while (!found)
    found = zero(*++p);
  return (const char *)p + __builtin_ctzl(found) / 8 - s;
}

// The parameters are not `restrict`, because memmove also calls memcpy for blocks that overlap, in cases where memcpy
// reads each byte before it overwrites it.
void *memcpy(void *to, const void *from, size_t n) {
  char *d = to;
  const char *s = from;
  if (n > 16) {
    block last = *(const block *)(s + n - 16);
    char *stop = d + n - 16;
    do {
      *(block *)d = *(const block *)s;
      d += 16, s += 16;
    } while (d < stop);
    *(block *)stop = last;
  } else if (n >= 8) {
    uint64_t a = *(const word1 *)s, b = *(const word1 *)(s + n - 8);
    *(word1 *)d = a, *(word1 *)(d + n - 8) = b;
  } else if (n >= 4) {
    uint32_t a = *(const half1 *)s, b = *(const half1 *)(s + n - 4);
    *(half1 *)d = a, *(half1 *)(d + n - 4) = b;
  } else if (n) {
    char a = s[0], b = s[n / 2], c = s[n - 1];
    d[0] = a, d[n / 2] = b, d[n - 1] = c;
  }
  return to;
}

void *memmove(void *to, const void *from, size_t n) {
  char *d = to;
  const char *s = from;
  if ((uintptr_t)d - (uintptr_t)s >= n)
    return n <= 16 || (uintptr_t)s - (uintptr_t)d >= 16 ? memcpy(to, from, n) : ({
      for (size_t i = 0; i < n; i++)
        d[i] = s[i];
      to;
    });
  for (; n >= 16 && d - s >= 16; n -= 16)
    *(block *)(d + n - 16) = *(const block *)(s + n - 16);
  while (n--)
    d[n] = s[n];
  return to;
}

void *memset(void *to, int c, size_t n) {
  char *d = to;
  uint64_t w = (unsigned char)c * ONES;
  if (n >= 8) {
    *(word1 *)(d + n - 8) = w;
    for (size_t i = 0; i + 8 < n; i += 8)
      *(word1 *)(d + i) = w;
  } else
    for (size_t i = 0; i < n; i++)
      d[i] = c;
  return to;
}

char *stpcpy(char *restrict to, const char *restrict from) {
  size_t n = strlen(from);
  memcpy(to, from, n + 1);
  return to + n;
}

char *strcpy(char *restrict to, const char *restrict from) {
  memcpy(to, from, strlen(from) + 1);
  return to;
}

char *strchr(const char *s, int c) {
  for (; (uintptr_t)s & 7; s++) {
    if (*s == (char)c)
      return (char *)s;
    if (!*s)
      return NULL;
  }
  uint64_t of = (unsigned char)c * ONES;
  const word *p = (const word *)s;
  while (!(zero(*p) | zero(*p ^ of)))
    p++;
  for (s = (const char *)p; *s != (char)c; s++)
    if (!*s)
      return NULL;
  return (char *)s;
}

void *memchr(const void *from, int c, size_t n) {
  const char *s = from;
  for (; n && (uintptr_t)s & 7; s++, n--)
    if (*s == (char)c)
      return (void *)s;
  uint64_t of = (unsigned char)c * ONES;
  for (; n >= 8 && !zero(*(const word *)s ^ of); n -= 8)
    s += 8;
  for (; n; s++, n--)
    if (*s == (char)c)
      return (void *)s;
  return NULL;
}

int strcmp(const char *a, const char *b) {
  for (; *a == *b && *a; a++, b++)
    ;
  return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n) {
  for (; n && *a == *b && *a; a++, b++, n--)
    ;
  return n ? (unsigned char)*a - (unsigned char)*b : 0;
}

// The next functions are here because Zig's versions of them call Zig's malloc.

static void *copied(const void *from, size_t n) {
  void *block = malloc(n);
  return block ? memcpy(block, from, n) : NULL;
}

char *strdup(const char *s) { return copied(s, strlen(s) + 1); }

char *strndup(const char *s, size_t n) {
  const char *stop = memchr(s, 0, n);
  char *block = malloc((n = stop ? (size_t)(stop - s) : n) + 1);
  if (block) {
    memcpy(block, s, n);
    block[n] = 0;
  }
  return block;
}

wchar_t *wcsdup(const wchar_t *s) {
  size_t n = 0;
  while (s[n++])
    ;
  return copied(s, n * sizeof *s);
}

// ---- Shellsort. Bash sorts its builtins at each start. With Zig's qsort that would take a tenth of the start's time.

void qsort(void *from, size_t n, size_t size, int (*compare)(const void *, const void *)) {
  char *first = from;
  size_t gap = 1;
  while (gap < n / 3)
    gap = 3 * gap + 1;
  for (; gap; gap /= 3)
    for (size_t i = gap; i < n; i++)
      for (size_t j = i; j >= gap; j -= gap) {
        char *a = first + (j - gap) * size, *b = first + j * size;
        if (compare(a, b) <= 0)
          break;
        size_t k = 0;
        for (; k + 8 <= size; k += 8) {
          uint64_t w = *(word1 *)(a + k);
          *(word1 *)(a + k) = *(word1 *)(b + k), *(word1 *)(b + k) = w;
        }
        for (; k < size; k++) {
          char c = a[k];
          a[k] = b[k], b[k] = c;
        }
      }
}
