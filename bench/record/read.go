package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"runtime"
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

// batchBytes is how much text is decoded at a time: decoding is most of reading, and goes on on every CPU.
const batchBytes = 128 << 10

// batch is lines next to each other. Its lines may be read once decoded is closed.
type batch struct {
	text    []byte
	lines   []line
	err     error // of the stream, behind the lines
	decoded chan struct{}
}

// line is one that is not empty.
type line struct {
	start, end  int // in the batch's text
	number      int
	whole, last bool
	record      *Record
	bad         error
}

// batches reads a stream and yields its batches in order, while they are being decoded. It ends with the stream, or when stop is closed.
func batches(r io.Reader, stop <-chan struct{}) <-chan *batch {
	workers := runtime.GOMAXPROCS(0)
	work, out := make(chan *batch, workers), make(chan *batch, 2*workers)
	for range workers {
		go func() {
			for b := range work {
				b.decode()
			}
		}()
	}
	go func() {
		defer close(out)
		defer close(work)
		in := bufio.NewReaderSize(r, 64<<10)
		var buf []byte
		for number, more := 1, true; more; {
			b := &batch{decoded: make(chan struct{}), text: make([]byte, 0, batchBytes+4<<10), lines: make([]line, 0, batchBytes/256)}
			number, more = b.fill(in, &buf, number)
			for _, to := range []chan *batch{work, out} {
				select {
				case to <- b:
				case <-stop:
					return
				}
			}
		}
	}()
	return out
}

// fill reads lines from number on, and returns the number of the next one; more is false at the stream's end.
func (b *batch) fill(in *bufio.Reader, buf *[]byte, number int) (next int, more bool) {
	for ; len(b.text) < batchBytes; number++ {
		text, whole, err := readLine(in, buf)
		if err != nil && !errors.Is(err, io.EOF) {
			b.err = err
			return number, false
		}
		if len(bytes.TrimSpace(text)) > 0 || !whole {
			start := len(b.text)
			b.text = append(b.text, text...)
			b.lines = append(b.lines, line{start: start, end: len(b.text), number: number, whole: whole, last: err != nil})
		}
		if err != nil {
			return number, false
		}
	}
	return number, true
}

func (b *batch) decode() {
	defer close(b.decoded)
	for i := range b.lines {
		l := &b.lines[i]
		l.record, l.bad = decode(b.text[l.start:l.end], l.whole, l.last)
	}
}
