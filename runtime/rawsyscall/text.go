package main

import (
	"strconv"

	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

// text is a string that is built in existing memory. Text that does not fit is cut off.
type text struct{ bytes []byte }

// in returns an empty text that uses the given memory.
func in(memory []byte) text { return text{memory[:0:len(memory)]} }

func (t *text) add(parts ...string) *text {
	for _, part := range parts {
		free := t.bytes[len(t.bytes):cap(t.bytes)]
		t.bytes = t.bytes[:len(t.bytes)+copy(free, part)]
	}
	return t
}

func (t *text) byte(c byte) *text {
	if len(t.bytes) < cap(t.bytes) {
		t.bytes = t.bytes[:len(t.bytes)+1]
		t.bytes[len(t.bytes)-1] = c
	}
	return t
}

func (t *text) int(n int64) *text {
	var digits [20]byte
	return t.add(asString(strconv.AppendInt(digits[:0], n, 10)))
}

// quoted adds a string in quotes, on one line and in ASCII.
func (t *text) quoted(s string) {
	const hex = "0123456789abcdef"
	t.byte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			t.byte('\\').byte(c)
		case c == '\n':
			t.add(`\n`)
		case c == '\r':
			t.add(`\r`)
		case c < ' ' || c >= 0x7f:
			t.add(`\x`).byte(hex[c>>4]).byte(hex[c&15])
		default:
			t.byte(c)
		}
	}
	t.byte('"')
}

// base64 adds bytes encoded as in RFC 4648, section 4. Package encoding/base64 would build its tables at program
// start.
func (t *text) base64(b []byte) *text {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for ; len(b) >= 3; b = b[3:] {
		t.byte(letters[b[0]>>2]).byte(letters[b[0]<<4&63|b[1]>>4]).byte(letters[b[1]<<2&63|b[2]>>6]).byte(letters[b[2]&63])
	}
	switch len(b) {
	case 1:
		t.byte(letters[b[0]>>2]).byte(letters[b[0]<<4&63]).add("==")
	case 2:
		t.byte(letters[b[0]>>2]).byte(letters[b[0]<<4&63|b[1]>>4]).byte(letters[b[1]<<2&63]).byte('=')
	}
	return t
}

// string returns the text. It is valid until the text's memory is used again.
func (t *text) string() string { return asString(t.bytes) }

// logMemory holds the log line that is being built.
var logMemory [4 << 10]byte

// logged starts a log line; written writes it.
func logged(parts ...string) *text {
	logLine = in(logMemory[:len(logMemory)-1])
	return logLine.add("twinstart: ").add(parts...)
}

var logLine text

// written appends a newline and writes the line to the log.
func (t *text) written() {
	logMemory[len(t.bytes)] = '\n'
	write(2, logMemory[:len(t.bytes)+1])
}

// die writes a line with the reason and ends the program. Lambda then starts another environment.
func die(line *text) {
	line.written()
	exit(1)
}

// failure is an error that will be reported to the Runtime API. There is only one at a time.
type failure struct {
	kind    string // errorType, such as Runtime.NoSuchHandler
	message text
}

var (
	theFailure    failure
	failureMemory [16 << 10]byte
	reportMemory  [128 << 10]byte // the longest JSON of a message: \u00xx for each byte
)

// fail starts a failure with an empty message.
func fail(kind string) *failure {
	theFailure = failure{kind, in(failureMemory[:])}
	return &theFailure
}

func (f *failure) say(parts ...string) *failure {
	f.message.add(parts...)
	return f
}

func (f *failure) quote(s string) *failure {
	f.message.quoted(s)
	return f
}

// json returns the body of an error report.
func (f *failure) json() []byte {
	e := runtimeapi.Error{Type: f.kind, Message: f.message.string()}
	return e.AppendJSON(reportMemory[:0])
}
