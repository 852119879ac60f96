package record

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// Writer appends records to a file. Each goes out in one write, so that a run that is killed loses at most the record
// being written. It may be used by several goroutines.
type Writer struct {
	mu sync.Mutex
	w  io.Writer
}

// NewWriter writes to any stream.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write appends one record; its schema is set where it has none.
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

// Append opens a file of records to go on with it, and creates it where there is none. A last line that was cut off is
// removed: it is no record, and what follows must not be glued to it.
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
	case json.Valid(last): // whole, only its line end is missing
		_, err = f.Write([]byte{'\n'})
		return err
	case len(last) == maxLine || last[0] != '{':
		return errors.New("it is no file of records")
	}
	return f.Truncate(info.Size() - int64(len(last)))
}
