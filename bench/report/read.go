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
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Options of a report. The zero value works.
type Options struct {
	MixSources bool         // allow lab and AWS records in one report; each is compared with its own kind only
	Prices     *price.Table // nil means price.Default()
	Seed       uint64       // of bootstrap resamples
	ColdShare  *float64     // share of cold starts in costs; nil means that of the records if they are real traffic, else DefaultColdShare
	Baselines  []Baseline   // published figures to show beside the measured ones
	Primary    Clock        // clock of the primary claim, chosen before looking at results; "" means INIT

	Monthly float64 // invocations a month, of which levers tell the cost; 0 means DefaultMonthly

	Context context.Context // ends the reading; nil means never
}

// shownProblems is the number of unusable lines that are named; the rest are counted.
const shownProblems = 5

// builder collects records.
type builder struct {
	opts     Options
	groups   map[identity]*group
	order    []*group // in the order in which they appear
	files    int
	records  int
	problems []string
	unusable int
	seed     maphash.Seed
	ids      map[uint64]struct{} // hashes of request IDs: a record that is read twice counts once
	runs     []*runfile.Run
	warnings []string
	notes    []arm.NotMeasured
	runIDs   map[string]int32 // numbered in the order in which they appear

	twice, backwards oddity
	absent           map[string]oddity // by field
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

// Stream reports on one stream of records. Messages call it by name.
func Stream(r io.Reader, name string, o Options) (*Report, error) {
	b := newBuilder(o)
	if err := b.read(r, name); err != nil {
		return nil, err
	}
	return b.report()
}

func newBuilder(o Options) *builder {
	o.Prices, o.Context = cmp.Or(o.Prices, price.Default()), cmp.Or(o.Context, context.Background())
	return &builder{opts: o, groups: map[identity]*group{}, seed: maphash.MakeSeed(), ids: map[uint64]struct{}{}, runIDs: map[string]int32{}, absent: map[string]oddity{}}
}

func (b *builder) read(r io.Reader, name string) error {
	b.files++
	before := b.records + b.unusable + b.twice.count
	last := map[*group]measuredAt{}
	for rec, err := range record.All(record.Until(b.opts.Context, r), name) {
		switch {
		case err == nil:
			b.add(rec, name, last)
		case errors.As(err, new(*record.LineError)):
			if b.unusable++; len(b.problems) < shownProblems {
				b.problems = append(b.problems, err.Error())
			}
		default:
			return err
		}
	}
	if b.records+b.unusable+b.twice.count == before {
		b.warnings = append(b.warnings, name+" is empty: it holds no records")
	}
	return nil
}

// oddity counts records that are odd but usable, and notes where the first one is.
type oddity struct {
	count int
	first string
}

// measuredAt is the time at which a run last measured an arm.
type measuredAt struct {
	run int32
	at  time.Time
}

func (o *oddity) at(name string, line int) {
	if o.count++; o.count == 1 {
		o.first = fmt.Sprintf("%s:%d", name, line)
	}
}

// add takes one record. last holds the time at which each arm of the file was last measured.
func (b *builder) add(r *record.Record, name string, last map[*group]measuredAt) {
	if r.RequestID != "" {
		id := maphash.String(b.seed, r.RequestID)
		if _, twice := b.ids[id]; twice {
			b.twice.at(name, r.Line)
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
	called, restored := r.Arm, restored(r)
	if restored != "" {
		called += " (" + restored + ")"
	}
	id := identity{r.Source, r.Region, r.Experiment, called, r.MemorySizeMB, r.Architecture, r.Handler, r.Published, restored, r.Load.Name(), r.StandIn}
	g := b.groups[id]
	if g == nil {
		g = &group{identity: id, bootstrap: r.Bootstrap, kind: r.Package, lever: r.Levels[arm.LeverFactor],
			level: r.Levels[arm.LeverLevel], environments: map[envKey]int32{}, apart: map[string]int{}}
		b.groups[id] = g
		b.order = append(b.order, g)
	}
	rate, ok := b.rate(r.Region, r.Architecture)
	if lacks := g.add(r, b.files, run, rate, ok); lacks != "" {
		o := b.absent[lacks]
		o.at(name, r.Line)
		b.absent[lacks] = o
	}
	if r.Round > 0 && !r.StartedAt.IsZero() && r.Load == nil { // a run writes the records of one arm in order; imported records have no order
		if before := last[g]; before.run == run && r.StartedAt.Before(before.at) {
			b.backwards.at(name, r.Line)
		}
		last[g] = measuredAt{run, r.StartedAt}
	}
	b.pace.see(r)
}

// beside adds what the run.json beside a file says. The file may be missing.
func (b *builder) beside(path string) {
	run, err := runfile.Load(path)
	if err != nil {
		b.warnings = append(b.warnings, err.Error())
		return
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
func (b *builder) sources() (out []record.Source) {
	for _, g := range b.order {
		out = list.Add(out, g.source)
	}
	slices.Sort(out)
	return out
}

// ErrNoRecords means that there is nothing to report on.
var ErrNoRecords = errors.New("no records")

func (b *builder) check() error {
	if b.records == 0 {
		if len(b.problems) > 0 {
			what := b.problems[0]
			if strings.Contains(what, "not a record: invalid") {
				what += ": name the folder of a twinstart run, or its records.jsonl"
			}
			return fmt.Errorf("%w that can be used; the first line that cannot: %s", ErrNoRecords, what)
		}
		if len(b.warnings) > 0 { // they name the empty files
			return fmt.Errorf("%w: %s; measure first, with twinstart run", ErrNoRecords, strings.Join(b.warnings, "; "))
		}
		return fmt.Errorf("%w: measure first, with twinstart run", ErrNoRecords)
	}
	if s := b.sources(); len(s) > 1 && !b.opts.MixSources {
		return fmt.Errorf("records are from %s and %s: their times cannot be compared; report on them one by one, or ask for both with --mix-sources", s[0], s[1])
	}
	return nil
}

// notMeasured returns the arms that no file measured. An arm may have been measured later, by --resume or in another
// file.
func (b *builder) notMeasured() []arm.NotMeasured {
	out := []arm.NotMeasured{}
	for _, n := range b.notes {
		measured := slices.ContainsFunc(b.order, func(g *group) bool { return g.arm == n.Arm && len(g.cold)+len(g.warm) > 0 })
		if !measured {
			out = list.Add(out, n)
		}
	}
	slices.SortStableFunc(out, func(a, b arm.NotMeasured) int { return cmp.Compare(a.Arm, b.Arm) })
	return out
}

// label names an arm: its id, and whatever distinguishes it from other arms with that id.
func (b *builder) label(g *group) string {
	s := g.arm
	var more []string
	for i, of := range []func(*group) string{
		func(h *group) string { return "@" + strconv.Itoa(h.memory) },
		func(h *group) string { return string(h.architecture) },
		func(h *group) string { return h.handler },
		func(h *group) string { return h.experiment },
		func(h *group) string { return h.load },
		func(h *group) string { return h.standIn },
		func(h *group) string { return string(h.source) },
		func(h *group) string {
			if h.source != g.source { // the label names the source already
				return g.region
			}
			return h.region
		},
	} {
		own := of(g)
		switch {
		case !slices.ContainsFunc(b.order, func(h *group) bool { return h.arm == g.arm && of(h) != own }):
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
	if r.Round == 0 || r.StartedAt.IsZero() || r.Load != nil {
		return
	}
	if gap := r.StartedAt.Sub(p.last).Seconds(); p.cold && r.Start == record.Cold && p.run == r.RunID && gap >= 0 && len(p.gaps) < maxGaps {
		p.gaps = append(p.gaps, gap)
	}
	p.run, p.last, p.cold = r.RunID, r.StartedAt, r.Start == record.Cold
}

// ColdSeconds returns the median time that one cold start took to measure, or 0 if the records do not say.
func (r *Report) ColdSeconds() float64 {
	if len(r.gaps) == 0 {
		return 0
	}
	return stat.NewSample(r.gaps).Quantile(0.5)
}
