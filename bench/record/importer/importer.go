// Package importer turns what others measured, or what CloudWatch kept, into records: one file per format.
//
// All of it is AWS's. What was published, and not measured by whoever imports it, is labelled so in every record and compared with its own kind
// only; averages without their samples become summaries, which reports show and never mix.
package importer

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// Options say what the file does not.
type Options struct {
	arm.Identity        // Arm is needed by most formats; the rest where it is known. Without it functions that logs name are arms of their own
	Log          string // what the arm is called that neither Arm nor its log stream names
	Region       string // "" is not known
	RunID        string
	Published    string // by whom; "" is the format's own label, if any
}

// Format reads one kind of file.
type Format struct {
	Name     string
	Doc      string
	NamesArm bool // the file says which arms it is about; Arm is then a glob of those to keep
	read     func(io.Reader, string, Options) iter.Seq2[*record.Record, error]
}

var formats = map[string]Format{
	"logs":         {"logs", "log lines of functions, text or JSON, in whatever CloudWatch, its tools and its exports put them", false, logs},
	"lambda-perf":  {"lambda-perf", "maxday/lambda-perf's daily data", true, whole(lambdaPerf)},
	"power-tuning": {"power-tuning", "the output of AWS Lambda Power Tuning's state machine", false, whole(powerTuning)},
	"init-stats":   {"init-stats", "published percentiles of Init Duration: init_count, init_average_ms, p20_ms, ...", false, whole(initStats)},
}

// aliases are names by which log lines were imported when each of their containers had a format of its own.
var aliases = map[string]string{"report-lines": "logs", "insights-csv": "logs", "insights-json": "logs"}

// Formats lists them by name.
func Formats() []Format {
	return slices.SortedFunc(maps.Values(formats), func(a, b Format) int { return cmp.Compare(a.Name, b.Name) })
}

// Read yields the records of a stream, which errors call by name. A part that cannot be used yields a *record.LineError and reading goes on;
// any other error is the last thing yielded. A stream without anything to import is an error.
func Read(format string, r io.Reader, name string, o Options) iter.Seq2[*record.Record, error] {
	f, ok := formats[cmp.Or(aliases[format], format)]
	return func(yield func(*record.Record, error) bool) {
		if !ok {
			var names []string
			for _, f := range Formats() {
				names = append(names, f.Name)
			}
			yield(nil, fmt.Errorf("unknown format %q: use %s", format, strings.Join(names, ", ")))
			return
		}
		if o.Arm == "" && !f.NamesArm && f.Name != "logs" { // whose streams may
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
			var line *record.LineError
			if !yield(rec, err) || err != nil && !errors.As(err, &line) {
				return
			}
		}
		if !found {
			yield(nil, fmt.Errorf("%s holds nothing to import: want %s%s", name, f.Doc, wanted(f, o)))
		}
	}
}

func wanted(f Format, o Options) string {
	if f.NamesArm && o.Arm != "" {
		return " of an arm like " + o.Arm
	}
	return ""
}

// complete takes bootstrap and package from an arm's id that says both.
func (o *Options) complete() {
	bootstrap, kind, ok := strings.Cut(o.Arm, "/")
	if ok && slices.Contains(arm.Packages(), arm.Package(kind)) {
		o.Bootstrap, o.Package = cmp.Or(o.Bootstrap, bootstrap), cmp.Or(o.Package, arm.Package(kind))
	}
}

// record starts a record.
func (o *Options) record() *record.Record {
	r := &record.Record{Schema: record.Schema, RunID: o.RunID, Source: record.AWS, Region: o.Region, Published: o.Published}
	r.Identify(o.Identity)
	return r
}

// bad is a part that cannot be used.
func bad(name string, line int, format string, args ...any) error {
	return &record.LineError{File: name, Line: line, Err: fmt.Errorf(format, args...)}
}
