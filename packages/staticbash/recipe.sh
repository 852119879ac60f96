#!/bin/sh
# Builds a static Bash, ./bash, in the working folder. pack.go then makes it smaller. The result depends only on
# these inputs, so every host makes the same bytes:
#   SOURCE                        the unpacked source, relative to the working folder, so the binary contains no path
#   MACHINE                       aarch64 or x86_64
#   CC AR RANLIB CC_FOR_BUILD     in PATH; CC makes musl programs for MACHINE, CC_FOR_BUILD programs that run here
#   ORDER PARTS                   order.txt and the folder src, also relative
#   STRIP                         -s; or -g for TestOrder, which needs a Bash with its symbols
#   JOBS                          for make
# A change of this file makes a new cache entry.
set -eu
export LC_ALL=C TZ=UTC0 SOURCE_DATE_EPOCH=315532800

# configure finds these answers by running programs. For a foreign architecture it cannot do that and would guess,
# in some cases wrongly, for example the exit status' offset. These are the answers on x86_64 with musl, and they
# are pinned there too. Without iconv the binary is 160 kB smaller; Bash then converts \u escapes and counts
# characters with musl's own UTF-8.
export am_cv_func_iconv=no
export ac_cv_func_chown_works=yes ac_cv_func_sbrk=no ac_cv_func_strcoll_works=yes ac_cv_func_working_mktime=yes
export ac_cv_have_decl_AUDIT_USER_TTY=no
export bash_cv_func_sbrk=no bash_cv_func_sigsetjmp=present bash_cv_getcwd_malloc=yes bash_cv_job_control_missing=present
export bash_cv_must_reinstall_sighandlers=no bash_cv_printf_a_format=yes bash_cv_strtold_broken=no bash_cv_sys_named_pipes=present
export bash_cv_ulimit_maxfds=yes bash_cv_unusable_rtsigs=no bash_cv_wexitstatus_offset=8
export bash_cv_func_strtoimax=no # "no" means "do not replace it": musl has its own

# What a cold start touches is put together for pack.go: functions, then constants, then data, because linkers have
# them in this order. Linkers match these rules before their own. Unwind tables are for exceptions, which C does not
# have, so they are left out, musl's too.
awk '
  /^\.text/ { text = text " " $1; rodata = rodata " .rodata" substr($1, 6) } # its jump tables have this name
  /^\.rodata/ { rodata = rodata " " $1 }
  END {
    printf "SECTIONS { .text.hot : ALIGN(4096) { *(%s) } } INSERT AFTER .text;\n", text
    printf "SECTIONS { .rodata.hot : { *(%s .rodata.cst* .rodata.str*) *(.rodata .rodata.*) } } INSERT AFTER .text.hot;\n", rodata
    printf "SECTIONS { .unpack : { KEEP(*(.unpack.entry)) KEEP(*(.unpack.text)) KEEP(*(.unpack.data)) } } INSERT BEFORE .text;\n"
    printf "SECTIONS { /DISCARD/ : { *(.eh_frame) } } INSERT AFTER .text;\n"
  }' "$ORDER" >order.ld

# Options that all sources share. Two of our own sources replace functions of a library, or run before there are
# any.
compact="-w -ffunction-sections -fdata-sections -fomit-frame-pointer -fno-stack-protector -fno-unwind-tables -fno-asynchronous-unwind-tables"
own="-O2 -std=gnu11 -ffreestanding -fno-builtin -fno-tree-vectorize $compact"
# shellcheck disable=SC2086 # each flag is a word
$CC $own -c "$PARTS/libc.c"
# shellcheck disable=SC2086
$CC -Os -std=gnu11 $compact -c "$PARTS/peek.c"
if [ "$MACHINE" = aarch64 ]; then own="$own -mcmodel=tiny"; fi
# shellcheck disable=SC2086
$CC $own -fPIC -c "$PARTS/unpack.c"

# One line of Bash differs from the release: how read gets a byte of a line, if characters are bytes and there is no
# time limit.
cp -Rp "$SOURCE" patched
sed -e '/for (print_ps2 = eof = retval = 0;;)/i\
  peek_begin ();' -e '/zreadintr (fd, &c, 1) : zread (fd, &c, 1);/c\
	retval = posixly_correct ? zreadintr (fd, &c, 1) : nchars || tmsec || tmusec || mb_cur_max > 1 ? zread (fd, &c, 1) : peek_read (fd, &c, delim);' \
  "$SOURCE/builtins/read.def" >patched/builtins/read.def
[ "$(grep -c 'peek_[br]' patched/builtins/read.def)" = 2 ]
touch -r "$SOURCE/builtins/read.def" patched/builtins/read.def

# Job control stays in: without it Bash knows only the status of a pipeline's last command (no pipefail, no
# PIPESTATUS). A shell that is not interactive uses it only after set -m.
#
# A --build that differs from --host means "cross" on every host.
patched/configure --build=i386-pc-linux-gnu --host="$MACHINE-unknown-linux-musl" \
  --enable-static-link --without-bash-malloc --disable-nls --disable-readline --disable-history --disable-bang-history \
  --disable-help-builtin --disable-progcomp --disable-mem-scramble \
  CFLAGS="-Os -std=gnu89 $compact -ffile-prefix-map=patched=." \
  CFLAGS_FOR_BUILD="-O1 -std=gnu89 -w" LDFLAGS="-Wl,--gc-sections -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,norelro $STRIP"

# The default of LOCAL_LDFLAGS is -rdynamic, which keeps every function for loadable builtins. A static program
# cannot load any. LOCAL_LIBS is for the link of the shell only, not for the tools that run during the build.
make -j"$JOBS" LOCAL_LDFLAGS= LOCAL_LIBS="libc.o peek.o unpack.o -Wl,-T,order.ld" bash
