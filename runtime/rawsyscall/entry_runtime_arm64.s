//go:build go1.28 || startruntime

#include "textflag.h"

// entry starts Go's runtime. A toolchain later than those that the other entry is tested with may expect another g, or more of it.
TEXT ·entry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	B _rt0_arm64_linux(SB)
