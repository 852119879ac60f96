// Package recordtest makes up records, for tests and benchmarks of packages that read records.
//
// Times follow from KiB read by the fit of published AWS figures (INIT = 7.5 ms + 7.0 us per KiB), with log-normal
// noise and, for images, a slow tail. They are not measurements.
package recordtest

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure/schedule"
	"github.com/twinstart/twinstart/bench/record"
)

// Arm describes an arm of the run.
type Arm struct {
	Bootstrap string
	Package   arm.Package
	SizeKiB   int64
	ReadKiB   float64 // before GET /next
	CPUMs     float64 // INIT besides reading
	FirstMs   float64 // first Duration
	WarmMs    float64
	MemoryMB  int // used
}

// Arms resemble the packaging experiment.
func Arms() []Arm {
	var out []Arm
	for _, b := range []Arm{
		{"bashtcp-static", "", 677, 484, 0.2, 1.4, 0.3, 8},
		{"rawsyscall", "", 1890, 1220, 0.3, 2.4, 0.3, 10},
		{"rawtcp", "", 1972, 1908, 0.4, 3.0, 1.3, 12},
		{"rawtcp-padded", "", 5708, 1912, 0.4, 3.0, 1.3, 12},
		{"rawtcp-upx", "", 715, 715, 44, 3.2, 1.3, 16},
		{"nethttp", "", 5708, 5200, 1.0, 3.6, 1.4, 17},
		{"lambdago", "", 6148, 5388, 1.2, 3.6, 1.4, 18},
		{"bashcurl", "", 4, 7300, 9, 14, 5.5, 28},
	} {
		for _, p := range arm.Packages() {
			if b.Bootstrap == "bashcurl" && p == arm.ImageMinimal {
				continue
			}
			b.Package = p
			out = append(out, b)
		}
	}
	return out
}

// Run is a run to make up.
type Run struct {
	Source       record.Source
	Arms         []Arm
	MemoryMB     []int // configured; nil means 1024
	Cold         int   // of each arm and memory
	Warm         int
	Environments int // that serve the warm ones; 0 means 10
	Seed         uint64
	Handler      string // "" means echo
}

// Records yields the run's records in the order in which a run would write them.
func (r Run) Records() iter.Seq[record.Record] {
	rng := rand.New(rand.NewPCG(r.Seed, 1))
	memories := r.MemoryMB
	if memories == nil {
		memories = []int{1024}
	}
	type target struct {
		Arm
		memory int
	}
	var targets []target
	for _, a := range r.Arms {
		for _, m := range memories {
			targets = append(targets, target{a, m})
		}
	}
	at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	var all []record.Record
	add := func(t target, round, order, environment int, start record.Start, mark record.Mark) {
		rec := t.sample(rng, r.Source, t.memory, start)
		rec.Handler = cmp.Or(r.Handler, "echo")
		rec.RunID, rec.RequestID = "made-up", fmt.Sprintf("%08x-0000-4000-8000-000000000000", len(all)+1)
		rec.Round, rec.Order, rec.Environment, rec.StartedAt, rec.Marked = round, order, environment, at, mark
		at = at.Add(30 * time.Millisecond)
		all = append(all, rec)
	}
	for round := 1; round <= r.Cold; round++ {
		for i, k := range schedule.Order(r.Seed, schedule.Cold, round, len(targets)) {
			add(targets[k], round, i+1, round, record.Cold, "")
		}
	}
	for b, size := range schedule.Blocks(r.Warm, cmp.Or(r.Environments, 10)) {
		for i, k := range schedule.Order(r.Seed, schedule.Warm, b+1, len(targets)) {
			add(targets[k], b+1, i+1, r.Cold+b+1, record.Cold, record.Priming)
			for range size {
				add(targets[k], b+1, i+1, r.Cold+b+1, record.Warm, "")
			}
		}
	}
	return slices.Values(all)
}

func (a Arm) sample(rng *rand.Rand, source record.Source, memory int, start record.Start) record.Record {
	noise := func(sd float64) float64 { return math.Exp(sd * rng.NormFloat64()) }
	cents := func(x float64) *float64 { return new(math.Round(100*x) / 100) }
	rec := record.Record{
		Schema: record.Schema, Source: source, Experiment: "packaging", Start: start,
		Arm: arm.ID(a.Bootstrap, a.Package), Bootstrap: a.Bootstrap, Package: a.Package, Architecture: arm.ARM64,
		MemorySizeMB: memory, MaxMemoryUsedMB: new(a.MemoryMB), PackageSizeBytes: a.SizeKiB * 1024,
	}
	if source == record.AWS {
		rec.Region = "us-east-1"
	}
	cpu := math.Max(1, 1769/float64(memory)/4) // less than a vCPU below 442 MB
	duration, init := a.WarmMs*cpu*noise(0.15), 0.0
	if start == record.Cold {
		init = (7.5 + 0.007*a.ReadKiB + a.CPUMs) * noise(0.06)
		switch a.Package {
		case arm.ImageMinimal:
			init *= 0.9
		case arm.Image:
			init = 15 + 0.4*init
		}
		if a.Package != arm.ZIP && rng.Float64() < 0.06 {
			init *= 2 // a chunk that is not in any cache
		}
		duration = a.FirstMs * cpu * noise(0.1)
		rec.InitDurationMs = cents(init)
		if source == record.Lab {
			rec.InitReadKiB, rec.FirstResponseReadKiB = new(a.ReadKiB), new(a.ReadKiB+8)
			rec.InitReadChunks = new(int(math.Ceil(a.ReadKiB / 512)))
		}
	}
	rec.DurationMs = cents(duration)
	rec.BilledDurationMs = new(math.Ceil(init + duration))
	rec.ClientDurationMs = cents(init + duration + 0.8*noise(0.2))
	return rec
}
