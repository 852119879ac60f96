#include "textflag.h"

// func vfork(stack unsafe.Pointer) (pid int)
TEXT ·vfork(SB), NOSPLIT, $0-16
	MOVD $0x4111, R0             // CLONE_VFORK | CLONE_VM | SIGCHLD
	MOVD stack+0(FP), R1
	MOVD ZR, R2
	MOVD ZR, R3
	MOVD ZR, R4
	MOVD $220, R8                // clone
	SVC
	CBZ  R0, child
	MOVD R0, pid+8(FP)
	RET
child:
	CALL ·child(SB)
	BRK
