package staticbash

import "encoding/binary"

// absoluteX86 changes the operands of call and jmp from distances to addresses, which compress better, because the same
// address occurs again and again. Addresses count from image.base; at is the address of the code. Bytes that only look
// like such an instruction are changed too: src/unpack.c finds the same bytes and undoes the change. A target outside
// the range of addresses does not become an address. Its distance stays or, if it looks like an address, becomes a
// negative number that no other operand has.
func absoluteX86(code []byte, at uint64) {
	for i := 0; i < len(code)-4; i++ {
		if code[i]&0xfe != 0xe8 {
			continue
		}
		operand := code[i+1 : i+5]
		v, here := int64(int32(binary.LittleEndian.Uint32(operand))), int64(at)+int64(i)
		switch {
		case v+here >= 0 && v+here < addresses:
			v += here
		case v < addresses && v+here >= addresses:
			v -= addresses
		}
		binary.LittleEndian.PutUint32(operand, uint32(v))
		i += 4
	}
}

// absoluteARM does the same for bl, in instructions instead of bytes, and for adrp, in pages.
func absoluteARM(code []byte, at uint64) {
	for i := 0; i+4 <= len(code); i += 4 {
		v, here := binary.LittleEndian.Uint32(code[i:]), uint32(at/4)+uint32(i/4)
		if v>>26 == 0x25 {
			v = 0x25<<26 | (v+here)&0x3ffffff
		} else if v&0x9f000000 == 0x90000000 {
			page := (v>>29&3 | v>>3&0x1ffffc) + here>>10
			v = v&0x9f00001f | page&3<<29 | page<<3&0xffffe0
		}
		binary.LittleEndian.PutUint32(code[i:], v)
	}
}
