package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/report/price"
)

// Options of a report. The zero value works.
type Options struct {
	MixSources bool         // allow lab and AWS records in one report; each is compared with its own kind only
	Prices     *price.Table // nil means price.Default()
	Seed       uint64       // of bootstrap resamples
	ColdShare  *float64     // share of cold starts in costs; nil means the records' own or DefaultColdShare
	Baselines  []Baseline   // published figures to show beside the measured ones
	Primary    Clock        // clock of the primary claim, chosen before looking at results; "" means INIT

	Monthly float64 // invocations a month, for the costs of levers; 0 means DefaultMonthly

	Context context.Context // ends the reading; nil means never
}

// shownProblems is the number of unusable lines that are named; the rest are counted.
const shownProblems = 5

// builder collects records.
type builder struct {
	opts Options

	files, records, unusable int

	groups   map[identity]*group
	order    []*group // in the order in which they appear
	problems []string // the first unusable lines
	seed     maphash.Seed
	ids      map[uint64]struct{} // hashes of request IDs: a record that is read twice counts once
	runs     []*runfile.Run
	warnings []string
	notes    []arm.NotMeasured
	runIDs   map[string]int32 // numbered in the order in which they appear

	twice, backwards oddity            // records read twice, and records that started before the last one
	absent           map[string]oddity // records without a field, by field
	summaries        []Baseline
	pace             pace
}

// Files reports on files of records; "-" means stdin. The run.json beside each file adds warnings and the arms that
// were not measured.
func Files(paths []string, stdin io.Reader, o Options) (*Report, error) {
	b := newBuilder(o)
	seen := map[string]bool{}
	for _, path := range paths {
		if path == "-" {
			if err := b.read(stdin, "stdin"); err != nil {
				return nil, err
			}
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("reading records: %w", err)
		}
		err = b.read(f, path)
		f.Close()
		if err != nil {
			return nil, err
		}
		if p := runfile.Path(path); !seen[p] {
			seen[p] = true
			b.beside(p)
		}
	}
	return b.report()
}

// Stream reports on one stream of records. Messages use the name for it.
func Stream(r io.Reader, name string, o Options) (*Report, error) {
	b := newBuilder(o)
	if err := b.read(r, name); err != nil {
		return nil, err
	}
	return b.report()
}

func newBuilder(o Options) *builder {
	o.Prices, o.Context = cmp.Or(o.Prices, price.Default()), cmp.Or(o.Context, context.Background())
	return &builder{opts: o, seed: maphash.MakeSeed(), ids: map[uint64]struct{}{}, runIDs: map[string]int32{},
		groups: map[identity]*group{}, absent: map[string]oddity{}}
}

// read adds the records of one stream. Lines that are not records are counted.
func (b *builder) read(r io.Reader, name string) error {
	b.files++
	empty := true
	for rec, err := range record.All(record.Until(b.opts.Context, r), name) {
		switch empty = false; {
		case err == nil:
			b.add(rec, name)
		case errors.As(err, new(*record.LineError)):
			if b.unusable++; len(b.problems) < shownProblems {
				b.problems = append(b.problems, err.Error())
			}
		default:
			return err
		}
	}
	if empty {
		b.warnings = append(b.warnings, name+" is empty: it holds no records")
	}
	return nil
}

// oddity counts records that are odd but usable, and notes where the first one is.
type oddity struct {
	count int
	first string
}

// measuredAt is the time at which a run last measured an arm, by the records of one file.
type measuredAt struct {
	file int
	run  int32
	at   time.Time
}

func (o *oddity) at(name string, line int) {
	if o.count++; o.count == 1 {
		o.first = fmt.Sprintf("%s:%d", name, line)
	}
}

func (b *builder) add(r *record.Record, file string) {
	if r.RequestID != "" {
		id := maphash.String(b.seed, r.RequestID)
		if _, twice := b.ids[id]; twice {
			b.twice.at(file, r.Line)
			return
		}
		b.ids[id] = struct{}{}
	}
	b.records++
	if r.Summary != nil {
		b.summaries = append(b.summaries, baseline(r))
		return
	}
	run, met := b.runIDs[r.RunID]
	if !met {
		run = int32(len(b.runIDs))
		b.runIDs[r.RunID] = run
	}
	name, restored := r.Arm, restored(r)
	if restored != "" {
		name += " (" + restored + ")"
	}
	id := identity{r.Source, r.Region, r.Experiment, name, r.MemorySizeMB, r.Architecture, r.Handler, r.Published,
		restored, r.Load.Name(), r.StandIn}
	g := b.groups[id]
	if g == nil {
		g = &group{identity: id, bootstrap: r.Bootstrap, kind: r.Package, lever: r.Levels[arm.LeverFactor],
			level: r.Levels[arm.LeverLevel], environments: map[envKey]int32{}, apart: map[string]int{},
			moments: map[Stage][]moments{}}
		b.groups[id] = g
		b.order = append(b.order, g)
	}
	rate, ok := b.rate(r.Region, r.Architecture)
	if lacks := g.add(r, b.files, run, rate, ok); lacks != "" {
		o := b.absent[lacks]
		o.at(file, r.Line)
		b.absent[lacks] = o
	}
	if inOrder(r) {
		if was := g.last; was.file == b.files && was.run == run && r.StartedAt.Before(was.at) {
			b.backwards.at(file, r.Line)
		}
		g.last = measuredAt{b.files, run, r.StartedAt}
	}
	b.pace.see(r)
}

// inOrder reports whether a run wrote the record in the order of measuring. Imported records, and those of a load, come
// in any order.
func inOrder(r *record.Record) bool { return r.Round > 0 && !r.StartedAt.IsZero() && r.Load == nil }

// beside adds what the run.json beside a file says. The file may be missing.
func (b *builder) beside(path string) {
	run, err := runfile.Load(path)
	if err != nil {
		b.warnings = append(b.warnings, err.Error())
	}
	if run == nil {
		return
	}
	b.runs = append(b.runs, run)
	b.notes = append(b.notes, run.NotMeasured...)
	b.warnings = append(b.warnings, run.Warnings...)
	if run.Interrupted {
		b.warnings = append(b.warnings, fmt.Sprintf("run %s was interrupted: go on with --resume", run.RunID))
	}
}

// sources returns the sources of all records, sorted.
func (b *builder) sources() []record.Source {
	out := list.Add(nil, list.Map(b.order, func(g *group) record.Source { return g.source })...)
	slices.Sort(out)
	return out
}

// check returns an error if there is nothing to report on, or if sources are mixed.
func (b *builder) check() error {
	if b.records == 0 {
		if len(b.problems) > 0 {
			what := b.problems[0]
			if strings.Contains(what, "not a record: ") {
				what += ": name the folder of a twinstart run, or its records.jsonl"
			}
			return fmt.Errorf("no records that can be used; the first line that cannot: %s", what)
		}
		b.warnings = append(b.warnings, "measure first, with twinstart run") // the others name the empty files
		return fmt.Errorf("no records: %s", strings.Join(b.warnings, "; "))
	}
	if s := b.sources(); len(s) > 1 && !b.opts.MixSources {
		return fmt.Errorf("records are from %s and %s: their times cannot be compared; report on them one by one, "+
			"or ask for both with --mix-sources", s[0], s[1])
	}
	return nil
}

// notMeasured returns the arms that no file has samples of. An arm that one run left out may be in a later run, by
// --resume or in another file.
func (b *builder) notMeasured() []arm.NotMeasured {
	out := []arm.NotMeasured{}
	for _, n := range b.notes {
		measured := func(g *group) bool { return g.arm == n.Arm && len(g.cold)+len(g.warm) > 0 }
		if !slices.ContainsFunc(b.order, measured) {
			out = list.Add(out, n)
		}
	}
	slices.SortStableFunc(out, func(a, b arm.NotMeasured) int { return cmp.Compare(a.Arm, b.Arm) })
	return out
}

// traits returns what may distinguish arms with one id, in the order of labels.
func (g *group) traits() []string {
	return []string{"@" + strconv.Itoa(g.memory), string(g.architecture), g.handler, g.experiment, g.load, g.standIn,
		string(g.source), g.region}
}

// label names an arm: its id, and whatever distinguishes it from other arms with that id.
func (b *builder) label(g *group) string {
	s, traits := g.arm, g.traits()
	var more []string
	for i, own := range traits {
		region := i == len(traits)-1 // compared within a source only, because the label names the source
		differs := func(h *group) bool { return h.traits()[i] != own && (!region || h.source == g.source) }
		switch {
		case !slices.ContainsFunc(b.order, func(h *group) bool { return h.arm == g.arm && differs(h) }):
		case i == 0:
			s += own
		case own != "":
			more = append(more, own)
		}
	}
	if g.published != "" {
		more = append(more, "published: "+g.published)
	}
	if len(more) > 0 {
		s += " (" + strings.Join(more, ", ") + ")"
	}
	return s
}

// pace measures how long a cold start took to measure, control plane included: the time from one to the next.
type pace struct {
	run  string
	last time.Time
	cold bool
	gaps []float64 // s
}

// maxGaps bounds the number of gaps that are kept: enough for a median.
const maxGaps = 100_000

func (p *pace) see(r *record.Record) {
	if !inOrder(r) {
		return
	}
	cold, gap := r.Start == record.Cold, r.StartedAt.Sub(p.last).Seconds()
	if cold && p.cold && p.run == r.RunID && gap >= 0 && len(p.gaps) < maxGaps {
		p.gaps = append(p.gaps, gap)
	}
	p.run, p.last, p.cold = r.RunID, r.StartedAt, cold
}

// ColdSeconds returns the median time that one cold start took to measure, or 0 if the records do not say.
func (r *Report) ColdSeconds() float64 {
	return orZero(median(r.gaps))
}
