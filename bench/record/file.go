package record

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"runtime"
	"strings"
	"sync"

	jsonv2 "github.com/go-json-experiment/json"
)

// maxLine bounds a line, so that a file without line ends cannot fill memory. A record has about 700 bytes.
const maxLine = 1 << 20

// LineError is a line that could not be used. Reading goes on after it.
type LineError struct {
	File string
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// All yields the records of a stream in order. A line that is not a record, such as the last one of a killed run,
// yields a *LineError and reading goes on. Any other error is the stream's own and ends the sequence. Errors call the
// stream by name.
func All(r io.Reader, name string) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		for n, err := range Numbered(r, name) {
			if !yield(n.Record, err) {
				return
			}
		}
	}
}

// Each passes the records of a file to each, in order, and the errors of other lines to unusable.
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

// Line is a record with its line number.
type Line struct {
	*Record
	Number int // from 1
}

// Numbered is All with line numbers.
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

// readLine returns the next line; whole is false if it is longer than maxLine.
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
	*rec = Record{} // the slower decoder accepts more, and its errors are clearer
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

// batchBytes is how much text is decoded at a time. Decoding is most of the work and runs on every CPU.
const batchBytes = 128 << 10

// batch is a group of consecutive lines. They may be read once decoded is closed.
type batch struct {
	text    []byte
	lines   []line
	err     error // of the stream, after the lines
	decoded chan struct{}
}

// line is a line that is not empty.
type line struct {
	start, end  int // in the batch's text
	number      int
	whole, last bool
	record      *Record
	bad         error
}

// batches reads a stream and sends its batches in order while they are being decoded. It ends with the stream, or
// when stop is closed.
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

// fill reads lines, the first of which has the given number, and returns the next number. more is false at the
// stream's end.
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

// Writer appends records to a file, each in one write, so that a killed run loses at most one record. Several
// goroutines may use it.
type Writer struct {
	mu sync.Mutex
	w  io.Writer
}

// NewWriter writes to any stream.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write appends a record. It sets the schema if the record has none.
func (w *Writer) Write(r Record) error {
	r.Schema = cmp.Or(r.Schema, Schema)
	line, err := json.Marshal(&r)
	if err != nil {
		return fmt.Errorf("encoding the record of %s: %w", r.Arm, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing a record: %w", err)
	}
	return nil
}

// File is a Writer on a file of records.
type File struct {
	Writer
	f *os.File
}

// Append opens a file of records to append to it, and creates it if there is none. It removes a last line that was
// cut off, so that the next record does not continue it.
func Append(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	if err := mendEnd(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("mending the end of %s: %w", path, err)
	}
	return &File{Writer: Writer{w: f}, f: f}, nil
}

// Close closes the file.
func (f *File) Close() error { return f.f.Close() }

func mendEnd(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	from := max(0, info.Size()-maxLine)
	end := make([]byte, info.Size()-from)
	if _, err := f.ReadAt(end, from); err != nil {
		return err
	}
	last := end[bytes.LastIndexByte(end, '\n')+1:]
	switch {
	case len(last) == 0:
		return nil
	case json.Valid(last): // complete, only its line end is missing
		_, err = f.Write([]byte{'\n'})
		return err
	case len(last) == maxLine || last[0] != '{':
		return errors.New("it is not a file of records")
	}
	return f.Truncate(info.Size() - int64(len(last)))
}
