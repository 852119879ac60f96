package httpwire

// Memory holds all buffers of a Client, for programs that have no heap. A Client that was given a Memory by Use
// allocates nothing, not even for errors, as long as the Header and Body of its requests are not temporaries. As a
// package variable a Memory costs nothing until it is touched.
type Memory struct {
	conn Conn
	in   [MaxHead]byte
	out  [inline + maxHeadSent]byte
	raw  [MaxHead]byte
	list [MaxHead / len("a:\r\n")]span
}

// maxHeadSent is the most that the head of a request of such a client, or its trailers, may have, in bytes.
const maxHeadSent = 64 << 10

// Use gives memory to a Client that has sent nothing yet. Bodies are received into body; a longer one is a
// *SyntaxError.
func (c *Client) Use(m *Memory, body []byte) {
	m.conn = Conn{in: m.in[:], out: m.out[:0]}
	c.conn = &m.conn
	c.response = Response{Header: Header{raw: m.raw[:0], list: m.list[:0]}, Body: body[:0], most: len(body)}
}
