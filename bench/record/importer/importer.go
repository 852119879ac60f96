// Package importer turns measurements that others published, and logs that CloudWatch kept, into records.
//
// All of them are from AWS. A figure that was published, and not measured by whoever imports it, says so in its record and
// is compared with published figures only. Averages without their samples become summaries, which reports show apart.
package importer

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/logline"
)

// Event is one entry of a log. Time and stream are zero if unknown.
type Event struct {
	Time    time.Time
	Stream  string
	Message string // without what a tool printed before it
	Line    int    // in the file, from 1; 0 if unknown

	report  *logline.Report // from the fields of a query's row
	bad     error           // why a part of report cannot be used
	alone   bool            // the whole file is one log stream, whose name is unknown
	foreign bool            // it stands where the output of functions stands
}

// logs imports log lines from any kind of file.
func logs(r io.Reader, name string, o Options) iter.Seq2[*record.Record, error] {
	return Records(events(r, name), name, o)
}

// events yields the events of a file. The beginning of the file tells its kind. The file is read as a stream, with
// bounded memory.
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

// headBytes is how much of a file decides its kind.
const headBytes = 64 << 10

// unpacked decompresses gzip, also with several members, and decodes UTF-16, in which PowerShell writes output. The
// caller must call closeIt.
func unpacked(r io.Reader) (in *bufio.Reader, closeIt func(), err error) {
	in, closeIt = bufio.NewReaderSize(r, headBytes), func() {}
	for range 2 { // an export may have been compressed once more
		head, _ := in.Peek(3)
		switch {
		case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
			zip, err := gzip.NewReader(in)
			if err != nil {
				closeIt()
				return nil, nil, err
			}
			// In a goroutine of its own, for decompressing is half of the work.
			blocks, w := io.Pipe()
			before, done := closeIt, make(chan struct{})
			go func() {
				defer close(done)
				_, err := io.Copy(w, zip)
				w.CloseWithError(err)
			}()
			closeIt = func() { blocks.Close(); <-done; before() }
			in = bufio.NewReaderSize(blocks, headBytes)
		case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}), bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
			return bufio.NewReaderSize(transform.NewReader(in, unicode.BOMOverride(transform.Nop)), headBytes), closeIt, nil
		}
	}
	return in, closeIt, nil
}

// maxHeld bounds a line, a table's row, or a JSON value in memory. CloudWatch's largest event has 1 MB.
const maxHeld = 4 << 20

// errHeld means that a part of a file is larger than in any log.
var errHeld = fmt.Errorf("a line, field or value is larger than %d MB: no log holds that", maxHeld>>20)

// held limits the size of a part, such as a quoted field that is never closed, and counts lines.
type held struct {
	in   io.Reader
	n    int     // bytes read since the last reset
	read int64   // bytes read in all
	ends []int64 // ends of lines not yet passed
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

// lineAt returns the line of an offset. Offsets must not decrease.
func (h *held) lineAt(offset int64) int {
	passed := 0
	for passed < len(h.ends) && h.ends[passed] < offset {
		passed++
	}
	h.ends = slices.Delete(h.ends, 0, passed)
	h.line += passed
	return h.line + 1
}

// broken is the error for a file that is cut off. Everything before that point is imported.
func broken(name string, line int, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("cut off here: the rest is missing")
	}
	return bad(name, line, "%w", err)
}

// Options hold what the file does not say.
type Options struct {
	arm.Identity        // Arm is needed by most formats; the rest where it is known. Without it functions that logs name are arms of their own
	Log          string // what the arm is called that neither Arm nor its log stream names
	Region       string // "" if unknown
	Published    string // by whom; "" means the format's own label, if any
}

// formats are the kinds of file. A file that names its arms takes Options.Arm for a glob of those to keep.
var formats = map[string]struct {
	doc      string
	namesArm bool
	read     func(io.Reader, string, Options) iter.Seq2[*record.Record, error]
}{
	"logs":         {"log lines of functions, text or JSON, in whatever CloudWatch, its tools and its exports put them", false, logs},
	"lambda-perf":  {"maxday/lambda-perf's daily data", true, whole(lambdaPerf)},
	"power-tuning": {"the output of AWS Lambda Power Tuning's state machine", false, whole(powerTuning)},
	"ab":           {"the percentiles that ab -e writes: Percentage served,Time in ms", false, whole(ab)},
	"init-stats":   {"published percentiles of Init Duration: init_count, init_average_ms, p20_ms, ...", false, whole(initStats)},
}

// aliases are earlier names of the format of log lines.
var aliases = map[string]string{"report-lines": "logs", "insights-csv": "logs", "insights-json": "logs"}

// Read yields the records of a stream. Errors call it by name. A part that cannot be used yields a *record.LineError
// and reading goes on; any other error ends the sequence. A stream without anything to import is an error.
func Read(format string, r io.Reader, name string, o Options) iter.Seq2[*record.Record, error] {
	format = cmp.Or(aliases[format], format)
	f, ok := formats[format]
	return func(yield func(*record.Record, error) bool) {
		if !ok {
			yield(nil, fmt.Errorf("unknown format %q: use %s", format, strings.Join(slices.Sorted(maps.Keys(formats)), ", ")))
			return
		}
		if o.Arm == "" && !f.namesArm && format != "logs" { // whose streams may
			yield(nil, fmt.Errorf("%s does not say which function it is of: name that with --arm, as in --arm orders", name))
			return
		}
		o.complete()
		found := false
		for rec, err := range f.read(r, name, o) {
			if err == nil {
				found = true
				if err = rec.Validate(); err != nil {
					rec, err = nil, bad(name, 0, "%w", err)
				}
			}
			if !yield(rec, err) || err != nil && !errors.As(err, new(*record.LineError)) {
				return
			}
		}
		if !found {
			want := f.doc
			if f.namesArm && o.Arm != "" {
				want += " of an arm like " + o.Arm
			}
			yield(nil, fmt.Errorf("%s holds nothing to import: want %s", name, want))
		}
	}
}

// complete takes bootstrap and package from the arm's id, if it has both.
func (o *Options) complete() {
	bootstrap, kind, ok := strings.Cut(o.Arm, "/")
	if ok && slices.Contains(arm.Packages(), arm.Package(kind)) {
		o.Bootstrap, o.Package = cmp.Or(o.Bootstrap, bootstrap), cmp.Or(o.Package, arm.Package(kind))
	}
}

// record returns a new record.
func (o *Options) record() *record.Record {
	r := &record.Record{Schema: record.Schema, Source: record.AWS, Region: o.Region, Published: o.Published}
	r.Identify(o.Identity)
	return r
}

// bad returns the error for a part that cannot be used.
func bad(name string, line int, format string, args ...any) error {
	return &record.LineError{File: name, Line: line, Err: fmt.Errorf(format, args...)}
}
