//go:build linux

package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/bench/report/stat"
	"github.com/twinstart/twinstart/lab/cgroup"
	"github.com/twinstart/twinstart/lab/deployment"
	"github.com/twinstart/twinstart/probe"
)

// smallMB is Lambda's smallest memory size, which has the least CPU. A call takes long there, so only a third of the
// rounds have calls, smallCalls each.
const (
	smallMB    = 128
	smallCalls = 8
)

// row is a candidate and what was measured of it.
type row struct {
	*candidate
	samples     map[*metric][]float64
	values      map[*metric]float64
	notMeasured []string
}

func (r *row) add(m *metric, samples ...float64) { r.samples[m] = append(r.samples[m], samples...) }

func (r *row) without(what string, err error) {
	r.notMeasured = append(r.notMeasured, fmt.Sprintf("%s: %v", what, err))
}

// measure measures every candidate.
func measure(ctx context.Context, candidates []*candidate, a arm.Architecture) ([]*row, []string, error) {
	var rows []*row
	for _, c := range candidates {
		plain, packed, err := c.size()
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, &row{candidate: c, samples: map[*metric][]float64{}, values: map[*metric]float64{
			size: plain / 1e6, zipped: packed / 1e6}})
	}
	step := func(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench-runtime: "+format+"\n", args...) }
	step("%d candidates, %d rounds of a cold start and %d calls, seed %d", len(rows), *rounds, *calls, *seed)
	if err := interleaved(ctx, "times", rows, *rounds, *seed, func(r *row) error {
		s, err := session(r.candidate, *calls, start, phase{})
		if err != nil {
			return err
		}
		r.add(initTime, s.init)
		r.add(first, s.first)
		r.add(warm, s.warm...)
		r.add(warmMedian, summarize(s.warm).median)
		r.add(perSecond, s.perSecond)
		r.add(memory, s.rssKiB)
		return nil
	}); err != nil {
		return nil, nil, err
	}
	for _, r := range rows {
		if len(r.samples[warm]) >= stat.MinP99 {
			r.values[warmP99] = stat.NewSample(r.samples[warm]).Quantile(0.99)
		}
	}
	step("%d rounds of a cold start at %d MB's share of a CPU", *rounds, smallMB)
	warnings, err := small(ctx, rows)
	if err != nil {
		return nil, nil, err
	}
	step("%d rounds of a cold start with a cold package", *rounds)
	more, err := cold(ctx, rows)
	if err != nil {
		return nil, nil, err
	}
	warnings = append(warnings, more...)
	step("counting cold pages")
	more, err = pages(ctx, rows, a)
	if err != nil {
		return nil, nil, err
	}
	warnings = append(warnings, more...)
	valgrind, missing := exec.LookPath("valgrind")
	if missing != nil {
		warnings = append(warnings, "user-space instructions are not measured: valgrind is not in PATH (apt-get install valgrind)")
	} else {
		step("counting instructions")
		count(ctx, rows, valgrind)
	}
	return rows, warnings, ctx.Err()
}

// interleaved runs every row once per round, in a new random order. A row that fails is left out from then on. The
// garbage collector of this program does not run during the samples.
func interleaved(ctx context.Context, what string, rows []*row, rounds int, seed uint64, one func(*row) error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	random := rand.New(rand.NewPCG(seed, 0))
	failed := make([]bool, len(rows))
	for round := range rounds {
		runtime.GC()
		for _, i := range random.Perm(len(rows)) {
			if failed[i] {
				continue
			}
			if err := one(rows[i]); err != nil {
				rows[i].without(fmt.Sprintf("%s, from round %d on", what, round+1), err)
				failed[i] = true
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			time.Sleep(2 * time.Millisecond) // the killed processes release their memory
		}
	}
	return nil
}

// cpuPeriod is the period of a CPU quota, in the lab and on Lambda.
const cpuPeriod = 20 * time.Millisecond

// small measures first responses and calls with smallMB's share of a CPU. As on AWS, the quota begins with the
// first event. That event comes at any point of the quota's period, with equal chances, at the same point for all
// rows of a round. Setting the quota starts a period, and at its start a function would have a whole quota at once.
func small(ctx context.Context, rows []*row) (warnings []string, err error) {
	groups := cgroup.Open()
	defer groups.Close()
	if groups.Mode() == "none" {
		return append([]string{fmt.Sprintf("nothing is measured at %d MB", smallMB)}, groups.Warnings()...), nil
	}
	origin := rand.New(rand.NewPCG(*seed, 2)).Float64()
	one := func(r *row) error {
		group, err := groups.Acquire()
		if err != nil {
			return err
		}
		defer group.Release()
		if err := group.Limit(smallMB, cgroup.Unlimited); err != nil {
			return err
		}
		calls := smallCalls
		if len(r.samples[smallFirst])*3 >= *rounds {
			calls = 0
		}
		s, err := session(r.candidate, calls, startLimited(group), phase{ready: func() error {
			err := group.SetCPU(arm.VCPUs(smallMB))
			time.Sleep(time.Duration(float64(cpuPeriod) * point(origin, len(r.samples[smallFirst]))))
			return err
		}})
		if err != nil {
			return err
		}
		r.add(smallFirst, s.first)
		if calls > 0 {
			r.add(smallWarm, s.warm...)
			r.add(smallWarmMedian, summarize(s.warm).median)
		}
		return nil
	}
	what := fmt.Sprintf("times at %d MB", smallMB)
	if err := interleaved(ctx, what, rows, *rounds, *seed+1, one); err != nil {
		return nil, err
	}
	// A first response may wait for one or two periods, so a ratio needs many first responses.
	return nil, interleaved(ctx, what, ofGoal(rows, smallFirst), decisive**rounds, *seed+2, one)
}

// point returns the n-th of a sequence of numbers from 0 to 1. Every part of the sequence is spread evenly (Weyl's,
// with the golden ratio).
func point(origin float64, n int) float64 {
	_, fraction := math.Modf(origin + float64(n)*math.Phi)
	return fraction
}

// decisive is how many times the rounds are repeated for the rows that have a goal for the first response at smallMB.
const decisive = 4

// pages counts the pages of the packages that cold starts read.
func pages(ctx context.Context, rows []*row, a arm.Architecture) (warnings []string, err error) {
	prober, err := probe.New(probe.Options{Event: []byte(event)})
	if err != nil {
		return []string{fmt.Sprintf("cold pages are not counted: %v", err)}, nil
	}
	defer prober.Close()
	for _, r := range rows {
		if r.probed == "" {
			continue
		}
		pkg, err := deployment.Open(r.probed)
		if err != nil {
			return nil, err
		}
		pkg.Architecture = a
		result, err := prober.Measure(ctx, &probe.Package{Package: pkg})
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			r.without("cold pages", err)
			continue
		}
		if result.FirstFailure != "" {
			r.without("cold pages to the first response", errors.New(result.FirstFailure))
		}
		for _, reads := range result.Reads {
			next, response := readNext, readResponse
			switch reads.ReadAheadKiB {
			case 0:
				next, response = touchedNext, touchedResponse
			case probe.DefaultReadAheadKiB:
			default:
				continue
			}
			r.values[next] = float64(reads.Next.PackageKiB)
			if reads.First != nil {
				r.values[response] = float64(reads.First.PackageKiB)
			}
		}
		for _, w := range result.Warnings {
			warnings = list.Add(warnings, w)
		}
	}
	return warnings, nil
}

// count runs every row under callgrind, several at once, because instructions do not depend on time.
func count(ctx context.Context, rows []*row, valgrind string) {
	var all errgroup.Group
	all.SetLimit(runtime.NumCPU())
	for _, r := range rows {
		all.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, err := countInstructions(r.candidate, valgrind)
			if err != nil {
				r.without("instructions", err)
				return nil
			}
			r.values[instructions] = n
			return nil
		})
	}
	_ = all.Wait() // errors are in the rows
}
