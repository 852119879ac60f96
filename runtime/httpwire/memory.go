package httpwire

// Memory is all that a Client works in, for programs that have no heap: with one given to Use it allocates nothing, errors
// included, if the Header and Body of its requests are no temporaries. As a package variable it costs nothing until it is touched.
type Memory struct {
	conn Conn
	in   [MaxHead]byte
	out  [inline + maxHeadSent]byte
	raw  [MaxHead]byte
	list [MaxHead / len("a:\r\n")]span
}

// maxHeadSent is what the head of a request of such a client, or its trailers, may take, in bytes.
const maxHeadSent = 64 << 10

// Use gives a Client that has sent nothing yet its memory. Bodies are received into body; one that is longer is a *SyntaxError.
func (c *Client) Use(m *Memory, body []byte) {
	m.conn = Conn{in: m.in[:], out: m.out[:0]}
	c.conn = &m.conn
	c.response = Response{Header: Header{raw: m.raw[:0], list: m.list[:0]}, Body: body[:0], most: len(body)}
}
