package probe

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twinstart/twinstart/lab/usage"
)

// There are leastRounds cold starts, and more, up to mostRounds, while unsure reports true.
const leastRounds, mostRounds = 5, 15

// group is a list of read-aheads that are counted from the same cold starts.
type group struct {
	mounted    int   // read-ahead of the mounts, KiB
	readAheads []int // to count for; those that are not mounted are computed
}

// groups returns the groups that are needed. If the order of first touches can be recorded, that is one group with
// read-ahead 0.
func (p *Prober) groups(r *Result) (out []group) {
	switch {
	case !p.store.Loop:
		r.CountedBy = PageCache
		return []group{{p.diskReadAheadKiB, []int{p.diskReadAheadKiB}}}
	case p.noOrder != nil:
		r.CountedBy = PageCache
		// Since Linux 6.17 (commit 3b61a3f08949) the window starts at a page of code, and not before it.
		r.Warnings = append(r.Warnings, fmt.Sprintf("the order of first touches cannot be noted here (%v): KiB with "+
			"read-ahead are what this machine's kernel reads; Linux 6.17 and later read less than the computed KiB "+
			"(4 to 5 %% less for Go packages of 2 to 6 MB, a quarter less for one of 1.2 MB)", p.noOrder))
		for _, readAhead := range p.options.ReadAheads {
			out = append(out, group{readAhead, []int{readAhead}})
		}
		return out
	}
	r.CountedBy = Computed
	return []group{{0, p.options.ReadAheads}}
}

// rounds runs the cold starts of one group.
func (p *Prober) rounds(ctx context.Context, pl plan, r *Result, g group) error {
	var next, whole []*touches // until GET /next, and until the first response
	pl.readAheadKiB = g.mounted
	began := time.Now()
	for round := 0; p.more(round, began, g, next, whole); round++ {
		t, err := p.cold(ctx, pl, r)
		if err != nil {
			return err
		}
		next = append(next, &touches{pages: t.pages[:t.next], next: t.next, files: t.files}) // until GET /next
		if r.FirstFailure == "" {
			whole = append(whole, t)
		}
	}
	for _, readAhead := range g.readAheads {
		r.Reads = append(r.Reads, r.count(g, readAhead, next, whole, pl.baseKnown || pl.scratch()))
	}
	return nil
}

// more reports whether another start is needed.
func (p *Prober) more(round int, began time.Time, g group, next, whole []*touches) bool {
	switch {
	case p.options.Rounds > 0:
		return round < p.options.Rounds
	case round < leastRounds:
		return true
	case round >= mostRounds || p.options.Patience > 0 && time.Since(began) > p.options.Patience:
		return false
	}
	for _, readAhead := range g.readAheads {
		for _, starts := range [][]*touches{next, whole} {
			if len(starts) > 0 && unsure(starts, readAhead, g.mounted) {
				return true
			}
		}
	}
	return false
}

// count counts the typical start with one read-ahead, and keeps its pages.
func (r *Result) count(g group, readAhead int, next, whole []*touches, baseCounted bool) Reads {
	start := typical(next)
	reads := Reads{ReadAheadKiB: readAhead, Starts: len(next),
		Next: start.count(readAhead, g.mounted), ErrorKiB: standardError(next, readAhead, g.mounted)}
	reads.Next.BaseCounted = baseCounted
	if len(whole) == len(next) {
		c := typical(whole).count(readAhead, g.mounted)
		c.BaseCounted = baseCounted
		reads.First = &c
	}
	if e := reads.ErrorKiB / float64(max(1, reads.Next.PackageKiB)); e > 5*sure {
		r.Warnings = append(r.Warnings, fmt.Sprintf("KiB with read-ahead %d are from %d starts that differ, with a standard "+
			"error of %.1f %%: count again, if possible on a less busy machine", readAhead, len(next), 100*e))
	}
	r.keep(start, readAhead, g.mounted)
	return reads
}

// keep puts the pages of a typical start into the result, file by file.
func (r *Result) keep(start *touches, readAheadKiB, mounted int) {
	read := start.read(readAheadKiB, mounted)
	for _, path := range slices.Sorted(maps.Keys(read)) {
		i := slices.IndexFunc(r.Files, func(f File) bool { return f.Path == path })
		if i < 0 {
			r.Files = append(r.Files, start.files[path])
			i = len(r.Files) - 1
		}
		if readAheadKiB == 0 {
			r.Files[i].Touched = read[path]
		} else {
			r.Files[i].ReadAhead = read[path]
		}
	}
	if r.Faults == nil {
		for _, touch := range start.pages {
			if touch.fault != nil {
				r.Faults = append(r.Faults, *touch.fault)
			}
		}
	}
}

// cold makes one cold start with one invocation. It returns the pages that are touched until GET /next and, if there is
// a first response, until that.
func (p *Prober) cold(ctx context.Context, pl plan, r *Result) (*touches, error) {
	run, err := p.begin(pl)
	if err != nil {
		return nil, err
	}
	defer run.Close()
	c := counter{plan: pl, root: run.Root()}
	if p.store.Loop && len(pl.content.Files) >= manyFiles {
		if c.opens, err = watchOpens(c.root, pl); err == nil { // else every file is counted
			defer c.opens.close()
		}
	}
	if r.CountedBy == Computed {
		if c.order, err = sampleTree(run.PID()); err != nil {
			return nil, err
		}
		defer c.order.close()
	}
	if err := run.init(ctx); err != nil {
		return nil, err
	}
	run.quiet()
	t := &touches{files: map[string]File{}}
	if err := c.look(t); err != nil {
		return nil, err
	}
	t.next = len(t.pages)
	if r.FirstFailure == "" { // one failure is enough: each may last until the limit
		if r.FirstFailure, err = run.invoke(ctx); err != nil {
			return nil, err
		}
	}
	if r.FirstFailure != "" {
		return t, nil
	}
	run.quiet()
	return t, c.look(t)
}

// warmStarts is the number of warm starts. The least CPU of them is taken, because noise only adds.
const warmStarts = 5

// cpu makes one cold start, for its page faults, and then warm ones on the same mounts, whose pages are in memory.
func (p *Prober) cpu(ctx context.Context, pl plan, invoke bool) (*CPU, error) {
	pl.readAheadKiB = DefaultReadAheadKiB
	run, err := p.begin(pl)
	if err != nil {
		return nil, err
	}
	defer run.Close()
	counter := usage.Watch(run.PID())
	defer counter.Close()
	if err := counter.NoCPU(); err != nil {
		return nil, err
	}
	last, err := counter.Read()
	if err != nil {
		return nil, err
	}
	cpu := &CPU{}
	used := func(step func() error) (u usage.Usage, err error) { // from the end of the step before
		if err = step(); err == nil {
			u, err = counter.Read()
		}
		last, u = u, u.Minus(last)
		return u, err
	}
	for i := range 1 + warmStarts {
		if i > 0 {
			if _, err := used(run.Stop); err != nil {
				return nil, err
			}
		}
		init, err := used(func() error { return run.init(ctx) })
		if err != nil {
			return nil, err
		}
		if i == 0 {
			cpu.MinorFaults, cpu.MajorFaults = init.MinorFaults, init.MajorFaults
		} else if ms := milliseconds(init.CPU); i == 1 || ms < cpu.InitMs {
			cpu.InitMs = ms
		}
		if !invoke {
			continue
		}
		var failure string
		first, err := used(func() (err error) { failure, err = run.invoke(ctx); return err })
		if err != nil {
			return nil, err
		}
		ms := milliseconds(first.CPU)
		if i > 0 && failure == "" && (cpu.FirstMs == nil || ms < *cpu.FirstMs) {
			cpu.FirstMs = &ms
		}
	}
	return cpu, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
