package main

import "unsafe"

// initialStack is where the kernel put argc, the pointers to the arguments, nil, the pointers to the environment, nil.
var initialStack unsafe.Pointer

// g stands for the goroutine that compiled code expects in a register. Of it only the limit that functions compare the stack
// pointer with is looked at, the third word (runtime.g.stackguard0): one that no stack reaches. The kernel guards the real one.
var g = [64]uintptr{2: 4096} //nolint:unused // by entry

// threadLocal is what the FS register points behind on amd64: a pointer to g.
var threadLocal [2]uintptr //nolint:unused // by entry

func entry() //nolint:unused // by the linker

// arguments and environ are as the kernel gave them: C strings.
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

// cString is the Go string on the bytes of a C string, without its NUL.
func cString(p *byte) string {
	n := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(p), n)) != 0 {
		n++
	}
	return unsafe.String(p, n)
}
