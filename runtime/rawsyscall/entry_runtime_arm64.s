//go:build go1.28 || startruntime

#include "textflag.h"

// This entry starts Go's runtime. The other entry is tested with older toolchains only: a newer one may need
// another g.
TEXT ·entry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	B _rt0_arm64_linux(SB)
