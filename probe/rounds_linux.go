package probe

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twinstart/twinstart/lab/usage"
)

// Where counts differ there are more cold starts, until their mean is sure: in which order threads touch neighbouring pages, and with it
// where windows of read-ahead begin, is the scheduler's choice. Means repeat best over all kinds of package: a median jumps by
// a window (2 %) where two counts are about as frequent.
const (
	leastRounds, mostRounds = 4, 40

	sure = 0.0025 // standard error, as a part of the mean: 2 % between two counts of one package are more than five of their difference's
)

// group is read-aheads that the same cold starts tell of.
type group struct {
	mounted    int   // read-ahead of the mounts, KiB
	readAheads []int // to count for; one that is not mounted is computed
}

// groups says which cold starts are needed. Where the order of first touches can be noted one group with read-ahead 0 does.
func (p *Prober) groups(r *Result) (out []group) {
	switch {
	case !p.store.Loop:
		r.CountedBy = PageCache
		return []group{{p.diskReadAheadKiB, []int{p.diskReadAheadKiB}}}
	case p.options.PageCache || p.noOrder != nil:
		r.CountedBy = PageCache
		r.Warnings = append(r.Warnings, p.ownWindows(r.Emulated)...)
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
	next, first := make([][]Count, len(g.readAheads)), make([][]Count, len(g.readAheads))
	unsure := func() bool {
		return slices.ContainsFunc(append(slices.Clone(next), first...), func(counts []Count) bool { return standardError(counts) > sure })
	}
	pl.readAheadKiB = g.mounted
	began := time.Now()
	more := func(round int) bool {
		if p.options.Rounds > 0 {
			return round < p.options.Rounds
		}
		return round < leastRounds || round < mostRounds && unsure() && (p.options.Patience == 0 || time.Since(began) < p.options.Patience)
	}
	for round := 0; more(round); round++ {
		n, f, err := p.cold(ctx, pkg, pl, prog, r, g)
		if err != nil {
			return err
		}
		for i := range g.readAheads {
			next[i] = append(next[i], n[i])
			if f != nil {
				first[i] = append(first[i], f[i])
			}
		}
	}
	for i, readAhead := range g.readAheads {
		least, most := span(next[i])
		reads := Reads{ReadAheadKiB: readAhead, Next: mean(next[i]), SpreadKiB: most - least}
		reads.ErrorKiB = standardError(next[i]) * float64(reads.Next.PackageKiB)
		if len(first[i]) == len(next[i]) {
			c := mean(first[i])
			reads.First = &c
		}
		if e := standardError(next[i]); e > 2*sure {
			r.Warnings = append(r.Warnings, fmt.Sprintf("KiB with read-ahead %d are a mean of %d starts that differ, with a standard error of %.1f %%: count on a machine that is less busy, or again", readAhead, len(next[i]), 100*e))
		}
		r.Reads = append(r.Reads, reads)
	}
	return nil
}

// cold is one cold start with one invocation: counts at GET /next, and at the first response where there is one, for each read-ahead.
func (p *Prober) cold(ctx context.Context, pkg *Package, pl plan, prog program, r *Result, g group) (next, first []Count, err error) {
	run, err := p.begin(pkg, pl, prog.argv)
	if err != nil {
		return nil, nil, err
	}
	defer run.close()
	c := counter{pkg: pkg, plan: pl, root: run.env.Root(), group: g}
	defer c.close()
	if p.store.Loop {
		c.watch()
	}
	if r.CountedBy == Computed {
		if c.order, err = sampleTree(run.env.PID()); err != nil {
			return nil, nil, err
		}
	}
	if err := run.init(ctx, pkg.Name); err != nil {
		return nil, nil, err
	}
	run.quiet()
	if next, err = c.count(r); err != nil {
		return nil, nil, err
	}
	failure := r.FirstFailure // once is enough: it may have been a time-out
	if failure == "" {
		if failure, err = run.invoke(ctx, p.options.Event); err != nil {
			return nil, nil, err
		}
	}
	r.Calls, r.FirstFailure = run.calls.list(), failure
	if failure != "" {
		return next, nil, nil
	}
	run.quiet()
	first, err = c.count(nil)
	return next, first, err
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
	defer run.close()
	counted := usage.Watch(run.env.PID())
	defer counted.Close()
	if err := counted.NoCPU(); err != nil {
		return nil, err
	}
	cpu := &CPU{}
	for i := range 1 + warmStarts {
		if i > 0 {
			if err := run.again(); err != nil {
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
			if failure, err = run.invoke(ctx, p.options.Event); err != nil {
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
