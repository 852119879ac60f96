// A packed Bash starts with this code. It unpacks what a cold start uses (functions, constants and data) to the
// addresses for which that was linked. Then it jumps to Bash's own start. It is in the file's first pages, which the
// kernel has already read to execute the file. pack.go lays out the file, compresses that part, and fills in the
// parameters. This code runs before all other code, so it cannot call functions that are not here.
#ifndef __clang__
// Without this GCC turns loops that copy into calls of memcpy, in memcpy itself too.
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif
#include <stddef.h>
#include <stdint.h>

struct parameters {
  uint64_t entry;           // address of Bash's own start
  uint64_t to, size;        // address and size of the memory to unpack to
  uint64_t code;            // how many bytes at its beginning are code: filter.go made the calls in it absolute
  uint64_t sealed;          // how many bytes at its beginning become read-only and executable: whole pages
  uint64_t base, range;     // the range of addresses that filter.go wrote into calls: its first address and its size
  uint64_t packed, length;  // address and size of the compressed part, which begins with the stream of tokens
  uint64_t literals, low, high, more; // where the other streams begin, counted from packed
};

extern const struct parameters unpack_parameters __attribute__((visibility("hidden")));
__asm__(".section .unpack.data,\"a\"\n"
        ".balign 8\n"
        ".globl unpack_parameters\n"
        ".hidden unpack_parameters\n"
        "unpack_parameters: .zero 13 * 8\n"
        ".text\n");

#define HERE static inline __attribute__((always_inline)) // so that the code is in the section of unpack

#if defined(__x86_64__)
__asm__(".section .unpack.entry,\"ax\",@progbits\n"
        ".globl unpack_entry\n"
        "unpack_entry: mov %rsp, %rbx\n"
        "and $-16, %rsp\n"
        "call unpack\n"
        "mov %rbx, %rsp\n"
        "xor %edx, %edx\n" // for the ABI this means: nothing to call at exit
        "jmp *%rax\n"
        ".text\n");
enum { sys_mprotect = 10, sys_madvise = 28, sys_exit = 231 };

HERE long call(long n, long a, long b, long c) {
  __asm__ volatile("syscall" : "+a"(n) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return n;
}
#elif defined(__aarch64__)
__asm__(".section .unpack.entry,\"ax\",@progbits\n"
        ".globl unpack_entry\n"
        "unpack_entry: bl unpack\n"
        "mov x16, x0\n"
        "mov x0, xzr\n" // for the ABI this means: nothing to call at exit
        "br x16\n"
        ".text\n");
enum { sys_mprotect = 226, sys_madvise = 233, sys_exit = 94 };

HERE long call(long n, long a, long b, long c) {
  register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}
#endif

typedef unsigned char byte;
typedef byte __attribute__((vector_size(16), may_alias, aligned(1))) block;
typedef uint32_t __attribute__((may_alias, aligned(1))) word;
typedef uint32_t __attribute__((vector_size(16))) words;
typedef char __attribute__((vector_size(16))) chars;

// copy copies 16 bytes at a time, and so writes up to 15 bytes too many. If there is not enough room before stop, or to
// is less than 16 bytes after from, it copies byte by byte.
HERE byte *copy(byte *to, const byte *from, size_t n, const byte *stop) {
  byte *end = to + n;
  if ((size_t)(to - from) >= 16 && (size_t)(stop - to) >= n + 16)
    for (; to < end; to += 16, from += 16)
      *(block *)to = *(const block *)from;
  else
    while (to < end)
      *to++ = *from++;
  return end;
}

// length returns a whole length. n is the token's four bits; if they are all set, the length goes on in *more.
HERE size_t length(size_t n, const byte **more) {
  if (n == 15)
    do
      n += **more;
    while (*(*more)++ == 255);
  return n;
}

// expand decompresses. The format is that of LZ4 with two changes: the shortest match has 3 bytes, and tokens,
// literals, offsets and long lengths are in separate streams. The deflate of the package's ZIP compresses these better
// than a mixture.
HERE void expand(const struct parameters *p, const byte *tokens, byte *to) {
  const byte *literals = tokens + p->literals, *low = tokens + p->low, *high = tokens + p->high, *more = tokens + p->more;
  const byte *stop = to + p->size;
  for (;;) {
    unsigned token = *tokens++;
    size_t n = token >> 4, m = token & 15;
    if (n < 15 && stop - to >= 64) { // true for nearly all tokens
      *(block *)to = *(const block *)literals;
      to += n, literals += n;
    } else {
      n = length(n, &more);
      to = copy(to, literals, n, stop);
      literals += n;
      if (to == stop)
        return;
    }
    size_t offset = *low++ | *high++ << 8;
    if (m < 15 && offset >= 16 && stop - to >= 32) {
      *(block *)to = *(const block *)(to - offset);
      *(word *)(to + 16) = *(const word *)(to + 16 - offset);
      to += m + 3;
    } else
      to = copy(to, to - offset, length(m, &more) + 3, stop);
  }
}

#if defined(__x86_64__)
// relative undoes what filter.go did to the operands of call and jmp: it turns addresses into distances again.
HERE void relative(const struct parameters *p, byte *code) {
  int64_t at = p->to - p->base, range = p->range;
  uint32_t e8 = 0xe8e8e8e8, fe = 0xfefefefe;
  __asm__("" : "+r"(e8), "+r"(fe)); // or the compiler puts vectors of them among the constants, which are still packed
  const block opcode = (block)(words){e8, e8, e8, e8}, but1 = (block)(words){fe, fe, fe, fe};
  unsigned skip = 0; // how many of the next bytes belong to an operand that began before them
  for (size_t i = 0, n = p->code - 4; i < n; i += 64) {
    uint64_t found = 0;
    for (int part = 3; part >= 0; part--)
      found = found << 16 | __builtin_ia32_pmovmskb128((chars)((*(const block *)(code + i + 16 * part) & but1) == opcode));
    found = found >> skip << skip;
    for (skip = 0; found;) {
      unsigned k = __builtin_ctzl(found);
      if (i + k >= n)
        return;
      int64_t v = (int32_t) * (word *)(code + i + k + 1), here = at + i + k;
      int64_t back = v >= 0 ? v - here : v + range;
      *(word *)(code + i + k + 1) = v >= -here && v < range ? back : v;
      found = k < 59 ? found >> (k + 5) << (k + 5) : 0;
      skip = k > 59 ? k - 59 : 0;
    }
  }
}
#else
HERE void relative(const struct parameters *p, byte *code) {
  uint32_t here = (p->to - p->base) / 4;
  for (const byte *stop = code + p->code; code < stop; code += 4, here++) {
    uint32_t v = *(word *)code;
    if (v >> 26 == 0x25) // bl
      *(word *)code = 0x25u << 26 | ((v - here) & 0x3ffffff);
    else if ((v & 0x9f000000) == 0x90000000) { // adrp
      uint32_t page = ((v >> 29 & 3) | (v >> 3 & 0x1ffffc)) - (here >> 10);
      *(word *)code = (v & 0x9f00001f) | (page & 3) << 29 | (page << 3 & 0xffffe0);
    }
  }
}

// fresh makes the processor execute the instructions that were just written, and not older ones from its cache.
HERE void fresh(byte *code, size_t n) {
  uint64_t type;
  __asm__("mrs %0, ctr_el0" : "=r"(type));
  if (!(type >> 28 & 1))
    for (size_t i = 0, line = 4 << (type >> 16 & 15); i < n; i += line)
      __asm__ volatile("dc cvau, %0" ::"r"(code + i) : "memory");
  __asm__ volatile("dsb ish" ::: "memory");
  if (!(type >> 29 & 1))
    for (size_t i = 0, line = 4 << (type & 15); i < n; i += line)
      __asm__ volatile("ic ivau, %0" ::"r"(code + i) : "memory");
  __asm__ volatile("dsb ish\nisb" ::: "memory");
}
#endif

// unpack returns the address of Bash's own start. Its three calls of madvise only save time: 3 is MADV_WILLNEED, 22
// MADV_POPULATE_READ and 23 MADV_POPULATE_WRITE. Linux before 5.14 refuses the last two.
__attribute__((section(".unpack.text"), visibility("hidden"), used)) uint64_t unpack(void) {
  const struct parameters *p = &unpack_parameters;
  long page = p->packed & -4096, length = (p->packed + p->length - page + 4095) & -4096;
  call(sys_madvise, page, length, 3); // the kernel reads all of it at once, and nothing else
  call(sys_madvise, page, length, 22);
  call(sys_madvise, p->to, (p->size + 4095) & -4096, 23);
  expand(p, (const byte *)p->packed, (byte *)p->to);
  relative(p, (byte *)p->to);
#if defined(__aarch64__)
  fresh((byte *)p->to, p->code);
#endif
  if (call(sys_mprotect, p->to, p->sealed, 5)) // PROT_READ | PROT_EXEC
    for (;;)
      call(sys_exit, 127, 0, 0);
  return p->entry;
}
