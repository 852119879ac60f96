package probe

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/twinstart/twinstart/lab/usage"
)

// There are more starts while it is not sure which pages are typical.
const (
	leastRounds, mostRounds = 5, 15
)

// group is read-aheads that the same cold starts tell of.
type group struct {
	mounted    int   // read-ahead of the mounts, KiB
	readAheads []int // to count for; one that is not mounted is computed
}

// groups says which cold starts are needed. Where the order of first touches can be noted one group with read-ahead 0
// does.
func (p *Prober) groups(r *Result) (out []group) {
	switch {
	case !p.store.Loop:
		r.CountedBy = PageCache
		return []group{{p.diskReadAheadKiB, []int{p.diskReadAheadKiB}}}
	case p.noOrder != nil:
		r.CountedBy = PageCache
		// Linux 6.17 and later read from a page of code on, and not around it: commit 3b61a3f08949.
		r.Warnings = append(r.Warnings, fmt.Sprintf("the order of first touches cannot be noted here (%v): KiB with read-ahead are as this machine's kernel reads, "+
			"which from Linux 6.17 on is less than is computed (Go, 2 to 6 MB: 4 to 5 %%; 1.2 MB: a quarter)", p.noOrder))
		for _, readAhead := range p.options.ReadAheads {
			out = append(out, group{readAhead, []int{readAhead}})
		}
		return out
	}
	r.CountedBy = Computed
	return []group{{0, p.options.ReadAheads}}
}

// rounds runs the cold starts of one group.
func (p *Prober) rounds(ctx context.Context, pkg *Package, pl plan, prog program, r *Result, g group) error {
	var next, whole []*touches // until GET /next, and until the first response
	pl.readAheadKiB = g.mounted
	began := time.Now()
	for round := 0; p.more(round, began, g, next, whole); round++ {
		t, err := p.cold(ctx, pkg, pl, prog, r)
		if err != nil {
			return err
		}
		if next = append(next, t.untilNext()); r.FirstFailure == "" {
			whole = append(whole, t)
		}
	}
	for _, readAhead := range g.readAheads {
		r.Reads = append(r.Reads, p.reads(pkg, pl, g, readAhead, next, whole, r))
	}
	return nil
}

// more says whether another start is needed.
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

// reads counts the typical start with one read-ahead, and keeps which pages those are.
func (p *Prober) reads(pkg *Package, pl plan, g group, readAhead int, next, whole []*touches, r *Result) Reads {
	start := typical(next)
	reads := Reads{ReadAheadKiB: readAhead, Starts: len(next), Next: start.count(readAhead, g.mounted), ErrorKiB: standardError(next, readAhead, g.mounted)}
	reads.Next.BaseCounted = pl.baseKnown || pkg.scratch()
	if len(whole) == len(next) {
		c := typical(whole).count(readAhead, g.mounted)
		c.BaseCounted = reads.Next.BaseCounted
		reads.First = &c
	}
	least, most := math.MaxInt, 0
	for _, t := range next {
		kib := t.count(readAhead, g.mounted).PackageKiB
		least, most = min(least, kib), max(most, kib)
	}
	reads.SpreadKiB = most - least
	if e := reads.ErrorKiB / float64(max(1, reads.Next.PackageKiB)); e > 5*sure {
		r.Warnings = append(r.Warnings, fmt.Sprintf("KiB with read-ahead %d are of %d starts that differ, with a standard error of %.1f %%: count on a machine that is less busy, or again", readAhead, len(next), 100*e))
	}
	r.keep(start, readAhead, g.mounted)
	return reads
}

// keep has the pages of a typical start in a result, file by file.
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

// cold is one cold start with one invocation: what is touched until GET /next, and until the first response where there
// is one.
func (p *Prober) cold(ctx context.Context, pkg *Package, pl plan, prog program, r *Result) (*touches, error) {
	run, err := p.begin(pkg, pl, prog.argv)
	if err != nil {
		return nil, err
	}
	defer run.Close()
	c := counter{pkg: pkg, plan: pl, root: run.Root()}
	defer c.close()
	if p.store.Loop {
		c.watch()
	}
	if r.CountedBy == Computed {
		if c.order, err = sampleTree(run.PID()); err != nil {
			return nil, err
		}
	}
	if err := run.init(ctx, pkg.Name); err != nil {
		return nil, err
	}
	run.quiet()
	t := &touches{files: map[string]File{}}
	if err := c.look(t); err != nil {
		return nil, err
	}
	t.next = len(t.pages)
	if r.FirstFailure == "" { // once is enough: it may have been a time-out
		if r.FirstFailure, err = run.invoke(ctx, pkg.event(p.options.Event)); err != nil {
			return nil, err
		}
	}
	if r.Calls = run.API.Calls(); r.FirstFailure != "" {
		return t, nil
	}
	run.quiet()
	return t, c.look(t)
}

// warmStarts that CPU is the least of: noise only adds.
const warmStarts = 5

// cpu is one cold start, for its page faults, and then warm ones on the same mounts, whose pages are in memory.
func (p *Prober) cpu(ctx context.Context, pkg *Package, pl plan, prog program, invoke bool) (*CPU, error) {
	pl.readAheadKiB = DefaultReadAheadKiB
	run, err := p.begin(pkg, pl, prog.argv)
	if err != nil {
		return nil, err
	}
	defer run.Close()
	counted := usage.Watch(run.PID())
	defer counted.Close()
	if err := counted.NoCPU(); err != nil {
		return nil, err
	}
	cpu := &CPU{}
	for i := range 1 + warmStarts {
		if i > 0 {
			if err := run.Stop(); err != nil {
				return nil, err
			}
		}
		before, err := counted.Read()
		if err != nil {
			return nil, err
		}
		if err := run.init(ctx, pkg.Name); err != nil {
			return nil, err
		}
		next, err := counted.Read()
		if err != nil {
			return nil, err
		}
		failure, done := "", next
		if invoke {
			if failure, err = run.invoke(ctx, pkg.event(p.options.Event)); err != nil {
				return nil, err
			}
			if done, err = counted.Read(); err != nil {
				return nil, err
			}
		}
		used := next.Minus(before)
		if i == 0 {
			cpu.MinorFaults, cpu.MajorFaults = used.MinorFaults, used.MajorFaults
			continue
		}
		if init := milliseconds(used.CPU); i == 1 || init < cpu.InitMs {
			cpu.InitMs = init
		}
		if first := milliseconds(done.CPU - next.CPU); invoke && failure == "" && (cpu.FirstMs == nil || first < *cpu.FirstMs) {
			cpu.FirstMs = &first
		}
	}
	return cpu, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
