package staticbash

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// expanded does with streams what src/unpack.c does.
func expanded(s streams, size int) []byte {
	var out []byte
	length := func(n int) int {
		for more := n == 15; more; {
			n += int(s.more[0])
			more = s.more[0] == 255
			s.more = s.more[1:]
		}
		return n
	}
	for {
		token := int(s.tokens[0])
		s.tokens = s.tokens[1:]
		n := length(token >> 4)
		out = append(out, s.literals[:n]...)
		s.literals = s.literals[n:]
		if len(out) == size {
			return out
		}
		offset := int(s.low[0]) | int(s.high[0])<<8
		s.low, s.high = s.low[1:], s.high[1:]
		for range length(token&15) + shortest {
			out = append(out, out[len(out)-offset])
		}
	}
}

func FuzzCompress(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{1, 3, 4, 5, 19, 20, 300, 5000, 70_000} {
		if size > 5000 && testing.Short() {
			continue // longer than the farthest match, and takes seconds: only make test runs it
		}
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(random.IntN(1 + i%7))
		}
		f.Add(data)
		f.Add(make([]byte, size))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 0 && !bytes.Equal(expanded(compress(data), len(data)), data) {
			t.Error("the expanded data differs from the data that was compressed")
		}
	})
}

// relativeX86 and relativeARM do with code what src/unpack.c does.
func relativeX86(code []byte, at int64) {
	for i := 0; i < len(code)-4; i++ {
		if code[i]&0xfe != 0xe8 {
			continue
		}
		v, here := int64(int32(binary.LittleEndian.Uint32(code[i+1:]))), at+int64(i)
		if v >= 0 && v < addresses {
			v -= here
		} else if v < 0 && v >= -here {
			v += addresses
		}
		binary.LittleEndian.PutUint32(code[i+1:], uint32(v))
		i += 4
	}
}

func relativeARM(code []byte, at uint32) {
	for i := 0; i+4 <= len(code); i += 4 {
		v, here := binary.LittleEndian.Uint32(code[i:]), at/4+uint32(i/4)
		if v>>26 == 0x25 {
			v = 0x25<<26 | (v-here)&0x3ffffff
		} else if v&0x9f000000 == 0x90000000 {
			page := (v>>29&3 | v>>3&0x1ffffc) - here>>10
			v = v&0x9f00001f | page&3<<29 | page<<3&0xffffe0
		}
		binary.LittleEndian.PutUint32(code[i:], v)
	}
}

func FuzzAbsolute(f *testing.F) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		code := make([]byte, 1000)
		for i := range code {
			code[i] = []byte{0xe8, 0xe9, 0, 0xff, 1, 0x97, 0x90, byte(random.Uint32())}[random.IntN(8)]
		}
		f.Add(code, uint32(random.IntN(addresses)))
	}
	f.Fuzz(func(t *testing.T, code []byte, at uint32) {
		at = at % addresses &^ 3
		x86 := bytes.Clone(code)
		absoluteX86(x86, uint64(at))
		if relativeX86(x86, int64(at)); !bytes.Equal(x86, code) {
			t.Error("x86_64: undoing the change gives other code")
		}
		arm := bytes.Clone(code)
		absoluteARM(arm, uint64(at))
		if relativeARM(arm, at); !bytes.Equal(arm, code) {
			t.Error("arm64: undoing the change gives other code")
		}
	})
}

func TestPackRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, data := range [][]byte{nil, []byte("no program"), make([]byte, 64)} {
		if _, err := pack(data); err == nil {
			t.Errorf("%q was packed", data)
		}
	}
}
