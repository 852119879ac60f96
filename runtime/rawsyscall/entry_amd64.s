//go:build !go1.28 && !startruntime

#include "textflag.h"

// The kernel starts the program at entry (-E=main.entry). The stack holds argc, argv and the environment. See
// doc.go.
TEXT ·entry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	MOVQ SP, ·initialStack(SB)
	ANDQ $~15, SP
	MOVL $158, AX                // arch_prctl
	MOVL $0x1002, DI             // ARCH_SET_FS: g is looked up 8 bytes below FS
	LEAQ ·threadLocal+8(SB), SI
	SYSCALL
	LEAQ ·g(SB), AX
	MOVQ AX, ·threadLocal(SB)
	CALL ·run(SB)
	INT  $3
