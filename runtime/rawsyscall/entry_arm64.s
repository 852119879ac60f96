//go:build !go1.28 && !startruntime

#include "textflag.h"

// The kernel starts the program at entry (-E=main.entry). The stack holds argc, argv and the environment. See
// doc.go.
TEXT ·entry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	MOVD RSP, R0
	MOVD R0, ·initialStack(SB)
	MOVD $·g(SB), g
	CALL ·run(SB)
	BRK
