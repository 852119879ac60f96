package record

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"runtime"
)

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
