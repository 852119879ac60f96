#!/bin/sh
# Builds a static Bash, ./bash, in the working folder. pack.go then makes it smaller. The result depends only on
# these inputs, so every host makes the same bytes:
#   SOURCE                        the unpacked source: a relative path, so that the binary has no path of this host
#   MACHINE                       aarch64 or x86_64
#   CC AR RANLIB CC_FOR_BUILD     commands in PATH: CC makes musl programs for MACHINE, CC_FOR_BUILD ones for this host
#   ORDER PARTS                   order.txt and the folder src, also as relative paths
#   STRIP                         -s removes the symbols; TestOrder needs them and has -g here
#   JOBS                          how many compilers make runs at a time
# After a change of this file the static Bash is built again on every machine.
set -eu
export LC_ALL=C TZ=UTC0 SOURCE_DATE_EPOCH=315532800

# configure runs programs to find answers. It cannot run programs of another architecture. It would then guess, and some
# guesses are wrong, for example the offset of the exit status. These are the answers on x86_64 with musl. They are set
# for x86_64 too. Only the first one is a choice: without iconv the binary is 160 kB smaller, and Bash uses musl's own
# UTF-8 to convert \u escapes and to count characters.
export am_cv_func_iconv=no
export ac_cv_func_chown_works=yes ac_cv_func_sbrk=no ac_cv_func_strcoll_works=yes ac_cv_func_working_mktime=yes
export ac_cv_have_decl_AUDIT_USER_TTY=no
export bash_cv_func_sbrk=no bash_cv_func_sigsetjmp=present bash_cv_getcwd_malloc=yes bash_cv_job_control_missing=present
export bash_cv_must_reinstall_sighandlers=no bash_cv_printf_a_format=yes bash_cv_strtold_broken=no bash_cv_sys_named_pipes=present
export bash_cv_ulimit_maxfds=yes bash_cv_unusable_rtsigs=no bash_cv_wexitstatus_offset=8
export bash_cv_func_strtoimax=no # "no" means that Bash does not replace musl's function

# Without these answers configure would look at the files of this host, and the host's mail folder would be in Bash.
export bash_cv_dev_fd=standard bash_cv_dev_stdin=present bash_cv_mail_dir=/var/mail

# order.ld puts what a cold start uses in one place, so that pack.go can compress it. Functions come first, then
# constants, then data, which is the usual order of linkers. Linkers apply these rules before their own. Unwind tables
# are for exceptions. C has no exceptions, so the tables are left out, musl's too.
awk '
  /^\.text/ { text = text " " $1; rodata = rodata " .rodata" substr($1, 6) } # jump tables have the name of their function
  /^\.rodata/ { rodata = rodata " " $1 }
  END {
    printf "SECTIONS { .text.hot : ALIGN(4096) { *(%s) } } INSERT AFTER .text;\n", text
    printf "SECTIONS { .rodata.hot : { *(%s .rodata.cst* .rodata.str*) *(.rodata .rodata.*) } } INSERT AFTER .text.hot;\n", rodata
    printf "SECTIONS { .unpack : { KEEP(*(.unpack.entry)) KEEP(*(.unpack.text)) KEEP(*(.unpack.data)) } } INSERT BEFORE .text;\n"
    printf "SECTIONS { /DISCARD/ : { *(.eh_frame) } } INSERT AFTER .text;\n"
  }' "$ORDER" >order.ld

# All sources have the options in compact. Those in own are for libc.c, which replaces functions of the C library, and
# for unpack.c, which runs before there are any functions.
compact="-w -ffunction-sections -fdata-sections -fomit-frame-pointer -fno-stack-protector -fno-unwind-tables -fno-asynchronous-unwind-tables"
own="-O2 -std=gnu11 -ffreestanding -fno-builtin -fno-tree-vectorize $compact"
# shellcheck disable=SC2086 # each flag is a word
$CC $own -c "$PARTS/libc.c"
# shellcheck disable=SC2086
$CC -Os -std=gnu11 $compact -c "$PARTS/peek.c"
if [ "$MACHINE" = aarch64 ]; then own="$own -mcmodel=tiny"; fi
# shellcheck disable=SC2086
$CC $own -fPIC -c "$PARTS/unpack.c"

# Two lines of Bash's read.def differ from the release. The first one is added: it calls peek_begin before each line.
# The second one gets a byte of a line. It now calls peek_read if a character is one byte and there is no limit of time
# or of characters. In POSIX mode it does what it did before.
cp -Rp "$SOURCE" patched
sed -e '/for (print_ps2 = eof = retval = 0;;)/i\
  peek_begin ();' -e '/zreadintr (fd, &c, 1) : zread (fd, &c, 1);/c\
	retval = posixly_correct ? zreadintr (fd, &c, 1) : nchars || tmsec || tmusec || mb_cur_max > 1 ? zread (fd, &c, 1) : peek_read (fd, &c, delim);' \
  "$SOURCE/builtins/read.def" >patched/builtins/read.def
[ "$(grep -c 'peek_[br]' patched/builtins/read.def)" = 2 ]
touch -r "$SOURCE/builtins/read.def" patched/builtins/read.def

# Job control stays in. Without it Bash knows only the status of a pipeline's last command, so pipefail and PIPESTATUS
# would not work. A shell that is not interactive uses job control only after set -m.
#
# --build differs from --host, so that every host compiles as for another machine.
patched/configure --build=i386-pc-linux-gnu --host="$MACHINE-unknown-linux-musl" \
  --enable-static-link --without-bash-malloc --disable-nls --disable-readline --disable-history --disable-bang-history \
  --disable-help-builtin --disable-progcomp --disable-mem-scramble \
  CFLAGS="-Os -std=gnu89 $compact -ffile-prefix-map=patched=." \
  CFLAGS_FOR_BUILD="-O1 -std=gnu89 -w" LDFLAGS="-Wl,--gc-sections -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,norelro $STRIP"

# Without these files make would measure the size of a pipe on this host. On a busy host that can give too small a size.
# Bash writes larger here-documents to a file instead of a pipe. 65536 bytes is the size on Linux.
: >builtins/psize.aux
echo '#define PIPESIZE 65536' >builtins/pipesize.h

# The default of LOCAL_LDFLAGS is -rdynamic, which keeps every function for loadable builtins. A static program cannot
# load builtins. LOCAL_LIBS is used to link the shell only, not the tools that run during the build.
make -j"$JOBS" LOCAL_LDFLAGS= LOCAL_LIBS="libc.o peek.o unpack.o -Wl,-T,order.ld" bash
