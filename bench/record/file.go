package record

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"sync"

	jsonv2 "github.com/go-json-experiment/json"
)

// maxLine bounds a line, so that a file without line ends cannot fill memory. A record has about 700 bytes.
const maxLine = 1 << 20

// LineError is a line that could not be used. Reading goes on after it.
type LineError struct {
	File string
	Line int // from 1; 0 if unknown
	Err  error
}

func (e *LineError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}
func (e *LineError) Unwrap() error { return e.Err }

// All yields the records of a stream in order. For a line that is not a record, such as the last one of a killed run,
// it yields a *LineError and goes on. Any other error comes from the stream and ends the sequence. Errors contain
// name.
func All(r io.Reader, name string) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		var buf []byte
		for number := 1; ; number++ {
			text, whole, err := ReadLine(in, &buf, maxLine)
			if err != nil && !errors.Is(err, io.EOF) {
				yield(nil, fmt.Errorf("reading %s: %w", name, err))
				return
			}
			if len(bytes.TrimSpace(text)) > 0 || !whole {
				rec, bad := decode(text, whole, err != nil)
				if bad != nil {
					rec, bad = nil, &LineError{File: name, Line: number, Err: bad}
				} else {
					rec.Line = number
				}
				if !yield(rec, bad) {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}
}

// Each calls each for every record of a file, in order, and unusable for each line that is not a record.
func Each(path string, each func(*Record), unusable func(error)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for r, err := range All(f, path) {
		switch {
		case err == nil:
			each(r)
		case errors.As(err, new(*LineError)):
			unusable(err)
		default:
			return err
		}
	}
	return nil
}

// ReadLine returns the next line, cut off after the given number of bytes. whole is false if it was cut off.
func ReadLine(r *bufio.Reader, buf *[]byte, most int) (line []byte, whole bool, err error) {
	*buf = (*buf)[:0]
	for whole = true; ; {
		part, err := r.ReadSlice('\n')
		n := min(len(part), most-len(*buf))
		*buf, whole = append(*buf, part[:n]...), whole && n == len(part)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return *buf, whole, err
		}
	}
}

func decode(line []byte, whole, last bool) (*Record, error) {
	if !whole {
		return nil, fmt.Errorf("line longer than %d bytes: not a record", maxLine)
	}
	rec := new(Record)
	err := jsonv2.Unmarshal(line, rec)
	if err != nil {
		*rec = Record{} // the slower decoder accepts more, and its errors are clearer
		err = json.Unmarshal(line, rec)
	}
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

// Until returns a reader that ends when the context ends, even in the middle of a line.
func Until(ctx context.Context, r io.Reader) io.Reader { return until{ctx, r} }

type until struct {
	ctx context.Context
	io.Reader
}

func (u until) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.Reader.Read(p)
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

// Append opens a file of records to append to it, and creates it if there is none. If the last line was cut off, Append
// removes it, so that the next record begins a line.
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
	case json.Valid(last): // complete but for its line end
		_, err = f.Write([]byte{'\n'})
		return err
	case len(last) == maxLine || last[0] != '{':
		return errors.New("it is not a file of records")
	}
	return f.Truncate(info.Size() - int64(len(last)))
}
