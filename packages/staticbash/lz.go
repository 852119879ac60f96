package staticbash

import "math/bits"

// streams are LZ4's sequences with each part in a separate stream, because the deflate of a package's ZIP
// compresses those better than a mixture. See src/unpack.c.
type streams struct{ tokens, literals, low, high, more []byte }

const (
	shortest = 3 // bytes of a match
	farthest = 1<<16 - 1
	longest  = 1 << 10
	attempts = 2048 // matches to try for each byte
)

// compress chooses the cheapest matches, from the end backwards.
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
	s.sequence(data[begin:], 0) // literals without a match, even if there are none, end the stream
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

// sequence adds literals and the length of the match after them.
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

// matches finds for each byte the longest earlier match; of several equally long ones, the nearest.
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
