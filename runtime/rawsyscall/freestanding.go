package main

import "unsafe"

// initialStack points to what the kernel put on the stack: argc, pointers to the arguments, nil, pointers to the
// environment, nil.
var initialStack unsafe.Pointer

// g stands for the goroutine that compiled code expects in a register. Functions read only its third word
// (runtime.g.stackguard0), the lower limit of the stack. Here that limit is so low that no stack reaches it; the
// kernel guards the real end of the stack.
var g = [64]uintptr{2: 4096} //nolint:unused // used by entry

// threadLocal is where the FS register points on amd64. It holds a pointer to g.
var threadLocal [2]uintptr //nolint:unused // used by entry

func entry() //nolint:unused // used by the linker

// arguments and environ return the C strings that the kernel passed.
func arguments() []*byte {
	return unsafe.Slice((**byte)(unsafe.Add(initialStack, wordSize)), *(*int)(initialStack))
}

func environ() []*byte {
	first := (**byte)(unsafe.Add(initialStack, wordSize*(2+*(*int)(initialStack))))
	return unsafe.Slice(first, countPointers(first))
}

const wordSize = int(unsafe.Sizeof(uintptr(0)))

// countPointers counts the pointers before a nil.
func countPointers(first **byte) (n int) {
	for *(**byte)(unsafe.Add(unsafe.Pointer(first), wordSize*n)) != nil {
		n++
	}
	return n
}

// cString returns a Go string that shares the bytes of a C string, without its NUL.
func cString(p *byte) string {
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(p), n)) != 0 {
		n++
	}
	return unsafe.String(p, n)
}
