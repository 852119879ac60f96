package probe

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/twinstart/twinstart/runtime/arm"
)

// Since commit 3b61a3f08949 of Linux, which 6.17 is taken to be the first to have, a fault in code reads the window that begins at the
// page, within the mapping, and nothing ahead of it; before, and for code that an emulator reads as data, it is the window around the
// page, and more behind it. Lambda's kernels are taken to be older: nothing here has shown it. The built-in calibration's KiB were
// counted on Linux 6.18: of arm64 packages under an emulator, of x86_64 packages natively.
const codeFromFault = 6*1000 + 17

// otherReadAround says how a count differs from the calibration's by the kernel alone; "" is not at all.
func otherReadAround(release string, a arm.Architecture, emulated bool) string {
	fromFault := kernelVersion(release) >= codeFromFault && !emulated
	switch {
	case a == arm.X8664 && !fromFault:
		return fmt.Sprintf("Linux %s reads around a page of code, where the calibration's x86_64 packages were counted by Linux 6.18, which reads from it on: KiB with read-ahead are higher here (Go, 2 to 6 MB: 4 to 5 %%; 1.2 MB: a third)", release)
	case a == arm.ARM64 && fromFault:
		return fmt.Sprintf("Linux %s reads from a page of code on, where the calibration's arm64 packages were counted by reading around it: KiB with read-ahead are lower here (Go, 2 to 6 MB: 4 to 5 %%; 1.2 MB: a quarter)", release)
	}
	return ""
}

// kernelVersion is 6018 for 6.18.44-x; 0 where it cannot be read.
func kernelVersion(release string) int {
	major, rest, _ := strings.Cut(release, ".")
	minor := rest
	if i := strings.IndexFunc(rest, func(c rune) bool { return c < '0' || c > '9' }); i >= 0 {
		minor = rest[:i]
	}
	x, err := strconv.Atoi(major)
	y, err2 := strconv.Atoi(minor)
	if err != nil || err2 != nil {
		return 0
	}
	return x*1000 + y
}

// kernelRelease is uname -r.
func kernelRelease() string {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}
