package importer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// readLines reads text: the output of aws logs tail in each of its formats or of sam logs, an export to S3, or a log
// file. A line of the platform begins where the tool's prefix ends, and all lines of a file have the same kind of
// prefix. Any other line that looks like one was printed by a function.
func readLines(in *bufio.Reader, name string, yield func(Event, error) bool) {
	s := scanner{in: in}
	for s.next() {
		message, at, stream := cut(s.text)
		kind := logline.KindOther
		prefix := shape{at != nil, stream != nil, at != nil && &at[0] == &s.text[0]}
		switch {
		case len(message) == 0 && prefix != (shape{}) || len(message) == 1 && message[0] == '{':
			// aws logs tail --format json prints its events over several lines
			at, stream = bytes.Clone(at), bytes.Clone(stream) // gather overwrites them
			if whole := s.gather(message); whole != nil {
				message, kind = whole, logline.KindReport
			}
		default:
			kind = logline.KindOf(message)
		}
		isText := kind != logline.KindOther && len(message) > 0 && message[0] != '{'
		if !isText && !bytes.Contains(message, platform) {
			continue
		}
		if s.shape == nil {
			s.shape = &prefix
			s.alone = stream == nil && bytes.HasSuffix(at, []byte("Z")) // an export to S3 has an object for each stream
		}
		e := Event{Message: string(message), Line: s.number, Time: at.time(), Stream: string(stream)}
		e.alone, e.foreign = s.alone, prefix != *s.shape
		if !yield(e, nil) {
			return
		}
	}
	if s.err != nil {
		yield(Event{}, broken(name, s.number, s.err))
	}
}

var platform, newline, space = []byte(`"platform.`), []byte("\n"), []byte(" ")

// shape says which prefix the lines of a file have.
type shape struct{ time, stream, timeFirst bool }

// stamp is a time as text.
type stamp []byte

// time parses a stamp. Without a zone it is UTC, as in CloudWatch.
func (s stamp) time() time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999"} {
		if t, err := time.Parse(layout, string(s)); err == nil {
			return t
		}
	}
	return time.Time{}
}

// cut removes a tool's prefix: time and stream in either order, each at most once.
func cut(line []byte) (message []byte, at stamp, stream []byte) {
	for {
		word, rest, found := bytes.Cut(line, space)
		switch {
		case at == nil && isTime(word):
			at = stamp(word)
		case stream == nil && isStream(word):
			stream = word
		default:
			return line, at, stream
		}
		if line = rest; !found {
			return nil, at, stream
		}
	}
}

func isTime(word []byte) bool {
	const form = "0000-00-00T00:00:00"
	if len(word) < len(form) || len(word) > len(form)+len(".000000000+00:00") {
		return false
	}
	for i, c := range word {
		if c >= '0' && c <= '9' {
			c = '0'
		}
		if i < len(form) && c != form[i] || i >= len(form) && strings.IndexByte("0-+:.Z", c) < 0 {
			return false
		}
	}
	return true
}

// isStream recognizes a function's log stream, such as 2026/11/20/[$LATEST]0a0a. In a shared log group it begins with
// the function's name.
func isStream(word []byte) bool {
	open := bytes.IndexByte(word, '[')
	return open > 0 && bytes.IndexByte(word[open:], ']') > 0 && bytes.IndexByte(word[:open], '/') > 0 &&
		!bytes.ContainsAny(word, "{\"'=,;")
}

// scanner reads lines. It keeps only the first maxHeld bytes of each.
type scanner struct {
	in     *bufio.Reader
	text   []byte // without its end; valid until the next call
	number int    // of the line, from 1
	shape  *shape // of the file's lines; nil before the first line of the platform
	alone  bool   // the file has one log stream
	err    error  // of the stream; nil at its end

	held  []byte // the line as it was read
	back  bool   // next returns text once more
	whole []byte
}

func (s *scanner) next() bool {
	if s.back {
		s.back = false
		return true
	}
	if s.err != nil {
		return false
	}
	s.number++
	part, _, err := record.ReadLine(s.in, &s.held, maxHeld)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
		return false
	}
	s.text = bytes.TrimSuffix(bytes.TrimSuffix(part, newline), []byte{'\r'})
	return err == nil || len(part) > 0
}

// maxHeld bounds a line in memory. CloudWatch's largest event has 1 MB.
const maxHeld = 4 << 20

// maxGathered bounds the lines of an event. The platform's have about 20.
const maxGathered = 200

// gather joins the lines of a JSON object, which ends at a line with a brace alone. If a line does not begin with
// white space, it is not part of an object: gather leaves it for the next call and returns nil.
func (s *scanner) gather(first []byte) []byte {
	s.whole = append(s.whole[:0], first...)
	for n := 0; n < maxGathered && s.next(); n++ {
		switch {
		case len(s.whole) == 0 && string(s.text) == "{", len(s.whole) > 0 && len(s.text) > 0 && s.text[0] == ' ':
			s.whole = append(s.whole, s.text...)
		case len(s.whole) > 0 && string(s.text) == "}":
			return append(s.whole, '}')
		default:
			s.back = true
			return nil
		}
		if len(s.whole) > maxHeld {
			return nil
		}
	}
	return nil
}
