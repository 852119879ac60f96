package httpwire

// chunks appends the chunks of a body (RFC 9112, section 7.1) to r.Body. It skips extensions and trailers.
func (c *Conn) chunks(r *Response) error {
	for {
		line, err := c.line(maxLine)
		if err != nil {
			return err
		}
		n, err := chunkSize(line)
		if err != nil {
			return err
		}
		if n == 0 {
			return c.fields(nil)
		}
		if err := c.exactly(r, n); err != nil {
			return err
		}
		end, err := c.line(maxLine)
		if err != nil {
			return err
		}
		if len(end) != 0 {
			return errChunkEnd
		}
	}
}

// chunkSize parses the hexadecimal size before a chunk. It stops at an extension.
func chunkSize(line []byte) (int, error) {
	n, digits := 0, 0
	for _, d := range line {
		switch {
		case '0' <= d && d <= '9':
			d -= '0'
		case 'a' <= d && d <= 'f':
			d -= 'a' - 10
		case 'A' <= d && d <= 'F':
			d -= 'A' - 10
		case digits > 0 && (d == ';' || len(trim(line[digits:])) == 0): // an extension, or the padding that some servers send
			return n, nil
		default:
			return 0, errChunkSize
		}
		if digits++; digits > 16 || n > MaxBody {
			return 0, errChunkLimit
		}
		n = n<<4 | int(d)
	}
	if digits == 0 {
		return 0, errNoChunkSize
	}
	return n, nil
}
