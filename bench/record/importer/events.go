package importer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// Event is what somebody wrote into a log at once. Time and stream are zero where they are not known.
type Event struct {
	Time    time.Time
	Stream  string
	Message string // as it was written, without what a tool printed before it
	Line    int    // in the file, from 1; 0 is not known

	report  *logline.Report // of a query's row, whose fields say what the message would
	bad     error           // what of report cannot be used
	alone   bool            // all of the file is one log stream's, whose name is not known
	foreign bool            // it stands where a function's output stands
}

// logs imports log lines, whatever holds them.
func logs(r io.Reader, name string, o Options) iter.Seq2[*record.Record, error] {
	return Records(events(r, name), name, o)
}

// events yields the events of a file of any kind, told by what the file begins with. All of it is read as it comes: what is held at a time
// is bounded, whatever its size.
func events(r io.Reader, name string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		plain, closeIt, err := unpacked(r)
		if err != nil {
			yield(Event{}, fmt.Errorf("unpacking %s: %w", name, err))
			return
		}
		defer closeIt()
		kind := readLines
		head, _ := plain.Peek(headBytes)
		switch {
		case isDocument(head):
			kind = readDocuments
		case isTable(head):
			kind = readTable
		}
		kind(plain, name, yield)
	}
}

// headBytes is how much of a file decides what it is.
const headBytes = 64 << 10

// unpacked undoes gzip, of several members too, and UTF-16, as PowerShell writes what a command prints. Whoever reads ends it by close.
func unpacked(r io.Reader) (in *bufio.Reader, closeIt func(), err error) {
	in, closeIt = bufio.NewReaderSize(r, headBytes), func() {}
	for range 2 { // an export that was packed once more by whoever sent it
		head, _ := in.Peek(3)
		switch {
		case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
			zip, err := gzip.NewReader(in)
			if err != nil {
				closeIt()
				return nil, nil, err
			}
			before, blocks := closeIt, newAhead(zip)
			closeIt = func() { _ = blocks.Close(); before() }
			in = bufio.NewReaderSize(blocks, headBytes)
		case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}), bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
			return bufio.NewReaderSize(transform.NewReader(in, unicode.BOMOverride(transform.Nop)), headBytes), closeIt, nil
		}
	}
	return in, closeIt, nil
}

// maxHeld bounds what is held of a file at a time: a line, a table's row, a JSON value. CloudWatch's largest event is 1 MB.
const maxHeld = 4 << 20

// errHeld is a part of a file that is larger than any log's.
var errHeld = fmt.Errorf("a line, field or value is larger than %d MB: no log holds that", maxHeld>>20)

// held ends the reading of a part that grows beyond all measure, such as a quoted field that is never closed, and knows lines.
type held struct {
	in   io.Reader
	n    int     // bytes read since the last reset
	read int64   // bytes read in all
	ends []int64 // of lines not yet passed
	line int     // passed, from 1
}

func (h *held) reset() { h.n = 0 }

func (h *held) Read(p []byte) (int, error) {
	if h.n > maxHeld {
		return 0, errHeld
	}
	n, err := h.in.Read(p)
	for at := 0; ; at++ {
		i := bytes.IndexByte(p[at:n], '\n')
		if i < 0 {
			break
		}
		at += i
		h.ends = append(h.ends, h.read+int64(at))
	}
	h.n += n
	h.read += int64(n)
	return n, err
}

// lineAt is the line that an offset lies in. Offsets only grow.
func (h *held) lineAt(offset int64) int {
	passed := 0
	for passed < len(h.ends) && h.ends[passed] < offset {
		passed++
	}
	h.ends = slices.Delete(h.ends, 0, passed)
	h.line += passed
	return h.line + 1
}

// broken says where a file ends before its end; what stands before is imported.
func broken(name string, line int, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("cut off here: the rest is missing")
	}
	return bad(name, line, "%w", err)
}

// ahead unpacks a stream while what came before is being used: unpacking is half the work.
type ahead struct {
	*io.PipeReader
	done chan struct{}
}

func newAhead(in io.Reader) *ahead {
	r, w := io.Pipe()
	a := &ahead{r, make(chan struct{})}
	go func() {
		defer close(a.done)
		_, err := io.Copy(w, in)
		w.CloseWithError(err)
	}()
	return a
}

// Close ends the reading, and waits for it: nobody reads the stream behind its owner's back.
func (a *ahead) Close() error {
	err := a.PipeReader.Close()
	<-a.done
	return err
}
