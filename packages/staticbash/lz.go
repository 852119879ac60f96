package staticbash

import "math/bits"

// streams have the parts of LZ4's sequences, each kind of part in a stream of its own. The deflate of a package's ZIP
// compresses these better than a mixture. See src/unpack.c.
type streams struct{ tokens, literals, low, high, more []byte }

const (
	shortest = 3         // bytes of a match
	farthest = 1<<16 - 1 // bytes back to the earlier match
	longest  = 1 << 10   // bytes of a match
	attempts = 2048      // earlier matches that are tried for each byte
)

// compress chooses literals and matches with the lowest cost, from the end of the data backwards.
func compress(data []byte) (s streams) {
	length, offset := matches(data)
	// cost is the cost from a byte to the end; take is the length of the match that starts at the byte, or 0 for a
	// literal.
	cost, take := make([]int, len(data)+1), make([]int, len(data))
	for i := len(data) - 1; i >= 0; i-- {
		cost[i], take[i] = literalCost+cost[i+1], 0
		for n := shortest; n <= length[i]; n++ {
			if c := matchCost(n, offset[i]) + cost[i+n]; c < cost[i] {
				cost[i], take[i] = c, n
			}
		}
	}
	begin := 0
	for i := 0; i < len(data); {
		if take[i] == 0 {
			i++
			continue
		}
		s.sequence(data[begin:i], take[i]-shortest)
		s.low, s.high = append(s.low, byte(offset[i])), append(s.high, byte(offset[i]>>8))
		i += take[i]
		begin = i
	}
	s.sequence(data[begin:], 0) // the end is a sequence without a match, even if it has no literals either
	return s
}

// Costs approximate the bits that deflate needs for a literal and for a match. They were found by trying.
const literalCost = 8

func matchCost(n, offset int) int {
	c := 18 + max(0, bits.Len(uint(offset))-8)
	if n -= shortest; n >= 15 {
		c += 4 + 8*((n-15)/255)
	}
	return c
}

// sequence adds literals and n, the length of the match after them less shortest.
func (s *streams) sequence(literals []byte, n int) {
	s.tokens = append(s.tokens, byte(min(len(literals), 15)<<4|min(n, 15)))
	s.literals = append(s.literals, literals...)
	for _, n := range []int{len(literals), n} {
		if n < 15 {
			continue
		}
		for n -= 15; n >= 255; n -= 255 {
			s.more = append(s.more, 255)
		}
		s.more = append(s.more, byte(n))
	}
}

// matches finds for each byte the longest match that begins earlier. If several are equally long, it takes the nearest.
func matches(data []byte) (length, offset []int) {
	length, offset = make([]int, len(data)), make([]int, len(data))
	head, previous := map[[shortest]byte]int{}, make([]int, len(data))
	for i := 0; i+shortest <= len(data); i++ {
		key := [shortest]byte(data[i:])
		at, ok := head[key]
		if !ok {
			at = -1
		}
		head[key], previous[i] = i, at
		for range attempts {
			if at < 0 || i-at > farthest || length[i] >= longest {
				break
			}
			l := shortest
			for l < longest && i+l < len(data) && data[at+l] == data[i+l] {
				l++
			}
			if l > length[i] {
				length[i], offset[i] = l, i-at
			}
			at = previous[at]
		}
	}
	return length, offset
}
