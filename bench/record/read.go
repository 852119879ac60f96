package record

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
)

// maxLine bounds a line, so that a file without line ends cannot fill the memory. A record has about 700 bytes.
const maxLine = 1 << 20

// LineError is a line that could not be used. Reading goes on after it.
type LineError struct {
	File string
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// All yields the records of a stream in their order. A line that is no record, such as the last one of a run that was
// killed, yields a *LineError and reading goes on; any other error is the stream's own and the last thing yielded.
// Errors call the stream by name.
func All(r io.Reader, name string) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		for n, err := range Numbered(r, name) {
			if !yield(n.Record, err) {
				return
			}
		}
	}
}

// Each passes the records of a file on in their order, and to unusable what each line lacks that is none.
func Each(path string, each func(*Record), unusable func(error)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for r, err := range All(f, path) {
		var line *LineError
		switch {
		case err == nil:
			each(r)
		case errors.As(err, &line):
			unusable(err)
		default:
			return err
		}
	}
	return nil
}

// Line is a record and where it stands in its file.
type Line struct {
	*Record
	Number int // from 1
}

// Numbered is All with the number of each record's line.
func Numbered(r io.Reader, name string) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		stop := make(chan struct{})
		defer close(stop)
		for b := range batches(r, stop) {
			<-b.decoded
			for _, l := range b.lines {
				switch {
				case l.bad != nil:
					if !yield(Line{}, &LineError{File: name, Line: l.number, Err: l.bad}) {
						return
					}
				case !yield(Line{l.record, l.number}, nil):
					return
				}
			}
			if b.err != nil {
				yield(Line{}, fmt.Errorf("reading %s: %w", name, b.err))
				return
			}
		}
	}
}

// readLine returns the next line without its end; whole is false where it is longer than maxLine.
func readLine(r *bufio.Reader, buf *[]byte) (line []byte, whole bool, err error) {
	*buf = (*buf)[:0]
	whole = true
	for {
		part, err := r.ReadSlice('\n')
		if len(*buf)+len(part) > maxLine {
			whole = false
		} else {
			*buf = append(*buf, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return *buf, whole, err
	}
}

func decode(line []byte, whole, last bool) (*Record, error) {
	if !whole {
		return nil, fmt.Errorf("line longer than %d bytes: not a record", maxLine)
	}
	rec := new(Record)
	if jsonv2.Unmarshal(line, rec) == nil {
		return rec, rec.Validate()
	}
	*rec = Record{} // what the faster decoder does not take, the usual one takes or explains
	err := json.Unmarshal(line, rec)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return rec, rec.Validate()
	case last:
		return nil, errors.New("record cut off: the run was interrupted while it was written")
	case errors.As(err, &wrong) && wrong.Field == "":
		return nil, fmt.Errorf("not a record: it is a JSON %s", wrong.Value)
	case errors.As(err, &wrong):
		return nil, fmt.Errorf("not a record: %s is a %s", wrong.Field, wrong.Value)
	default:
		return nil, fmt.Errorf("not a record: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
}
