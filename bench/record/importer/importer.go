// Package importer turns measurements that others published, and logs that CloudWatch kept, into records.
//
// All of them are from AWS. If a figure was published by others, its record says by whom, and it is compared with
// published figures only. If only averages were published, they become summaries, which reports show apart.
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
	foreign bool            // its place in the file says that a function printed it
}

// events yields the events of a file. The beginning of the file tells its kind. Lines are read as a stream, with
// bounded memory; JSON and CSV are read whole.
func events(r io.Reader, name string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		in, err := unpacked(r, name)
		if err != nil {
			yield(Event{}, err)
			return
		}
		head, _ := in.Peek(headBytes)
		isJSON := isDocument(head)
		if !isJSON && !isTable(head) {
			readLines(in, name, yield)
			return
		}
		c := collected{name: name}
		data, err := wholeFile(in, name)
		switch {
		case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
			yield(Event{}, err)
			return
		case isJSON:
			c.document(data, 0)
		default:
			c.table(data)
		}
		if err != nil {
			c.problems = append(c.problems, broken(name, 0, err))
		}
		if c.rows == 1000 || c.rows == 10000 { // a query's limit: the default, and the highest
			c.warn(0, "%d rows, which is as many as a query returns at most: there may be more; "+
				"narrow the query's time, or raise its limit", c.rows)
		}
		for _, e := range c.inOrder() {
			if !yield(e, nil) {
				return
			}
		}
		for _, err := range c.problems {
			if !yield(Event{}, err) {
				return
			}
		}
	}
}

// headBytes is how much of a file decides its kind.
const headBytes = 64 << 10

// unpacked decompresses gzip, also with several members.
func unpacked(r io.Reader, name string) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, headBytes)
	for range 2 { // an export may have been compressed once more
		if head, _ := in.Peek(2); !bytes.Equal(head, []byte{0x1f, 0x8b}) {
			break
		}
		zip, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("unpacking %s: %w", name, err)
		}
		in = bufio.NewReaderSize(zip, headBytes)
	}
	if head, _ := in.Peek(len(bom)); string(head) == bom {
		_, _ = in.Discard(len(bom))
	}
	return in, nil
}

const bom = "\ufeff"

// maxWhole bounds the size of a file that is read whole.
const maxWhole = 256 << 20

// wholeFile reads all of a file. If it was cut off, it returns what there is with io.ErrUnexpectedEOF.
func wholeFile(in io.Reader, name string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxWhole+1))
	switch {
	case len(data) > maxWhole:
		return nil, fmt.Errorf("%s is larger than %d MB: export a shorter time, or export lines", name, maxWhole>>20)
	case err != nil:
		err = fmt.Errorf("reading %s: %w", name, err)
	}
	return data, err
}

// Options hold what the file does not say.
type Options struct {
	// Most formats need Arm; other fields may be empty. Without Arm, each function that the logs name is an arm.
	arm.Identity
	Log       string // the arm's name if neither Arm nor the log stream has one
	Region    string // "" if unknown
	Published string // by whom; "" means the format's own label, if any
}

// formats are the kinds of file. For a format that names its arms, Options.Arm is a glob of the arms to keep.
var formats = map[string]struct {
	doc      string
	namesArm bool
	read     func(io.Reader, string, Options) iter.Seq2[*record.Record, error]
}{
	"logs": {
		"log lines of functions, text or JSON, in every form that CloudWatch, its tools and its exports have", false,
		func(r io.Reader, name string, o Options) iter.Seq2[*record.Record, error] {
			return Records(events(r, name), name, o)
		},
	},
	"lambda-perf":  {"maxday/lambda-perf's daily data", true, whole(lambdaPerf)},
	"power-tuning": {"the output of AWS Lambda Power Tuning's state machine", false, whole(powerTuning)},
	"ab":           {"the percentiles that ab -e writes: Percentage served,Time in ms", false, whole(ab)},
	"init-stats":   {"percentiles of Init Duration: init_count, init_average_ms, p20_ms, ...", false, whole(initStats)},
}

// Read yields the records of a stream. Errors contain name. For a part that cannot be used, Read yields a
// *record.LineError and goes on. Any other error ends the sequence. A stream without anything to import is an error.
func Read(format string, r io.Reader, name string, o Options) iter.Seq2[*record.Record, error] {
	f, ok := formats[format]
	return func(yield func(*record.Record, error) bool) {
		if !ok {
			yield(nil, fmt.Errorf("unknown format %q: use %s", format, strings.Join(slices.Sorted(maps.Keys(formats)), ", ")))
			return
		}
		if o.Arm == "" && !f.namesArm && format != "logs" { // log streams may name functions
			yield(nil, fmt.Errorf("%s does not name its function: name it with --arm, for example --arm orders", name))
			return
		}
		bootstrap, kind, both := strings.Cut(o.Arm, "/")
		if both && slices.Contains(arm.Packages(), arm.Package(kind)) {
			o.Bootstrap, o.Package = cmp.Or(o.Bootstrap, bootstrap), cmp.Or(o.Package, arm.Package(kind))
		}
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

func (o *Options) record() *record.Record {
	r := &record.Record{Schema: record.Schema, Source: record.AWS, Region: o.Region, Published: o.Published}
	r.Identify(o.Identity)
	return r
}

// bad returns the error for a part that cannot be used.
func bad(name string, line int, format string, args ...any) error {
	return &record.LineError{File: name, Line: line, Err: fmt.Errorf(format, args...)}
}
