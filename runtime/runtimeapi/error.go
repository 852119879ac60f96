package runtimeapi

import "unicode/utf8"

// Error is a failure as it is reported to the API, during INIT or for one invocation.
type Error struct {
	Type    string // <category>.<reason>, such as Runtime.NoSuchHandler
	Message string // any bytes
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// AppendJSON appends {"errorMessage": ..., "errorType": ..., "stackTrace": []}.
func (e *Error) AppendJSON(b []byte) []byte {
	b = append(b, `{"errorMessage":`...)
	b = appendString(b, e.Message)
	b = append(b, `,"errorType":`...)
	b = appendString(b, e.Type)
	return append(b, `,"stackTrace":[]}`...)
}

// appendString appends a JSON string (RFC 8259, section 7). Bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:]) // U+FFFD and size 1 if it is not UTF-8
			b = utf8.AppendRune(b, r)
			i += size
			continue
		}
		i++
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c < ' ' || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
