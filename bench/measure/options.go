// Package measure measures functions through Lambda's API. It does not know whether AWS or the lab answers.
//
// A cold start is forced by a nonce in an environment variable. A function is invoked only when its RevisionId has
// changed and its LastUpdateStatus is Successful, because Successful alone can be the old status. Retries are off
// during measurements, because a throttled call that is repeated looks like a long success. Invocations of one
// function follow each other; arms are interleaved in random order within rounds. A sample that is not what it
// should be is written with a mark, and no average contains it.
package measure

import (
	"cmp"
	"context"
	"fmt"
	"time"

	smithytime "github.com/aws/smithy-go/time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/measure/schedule"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
)

// Target is an arm and where it runs.
type Target struct {
	arm.Identity
	FunctionName     string       // name or ARN, as Invoke takes it
	PackageSizeBytes int64        // 0 means that it is not known
	Of               string       // if several arms share the function, what they have in common; else ""
	Set              arm.Override // settings that the update for a cold start changes, too
	SnapStart        bool         // its cold starts are restores, of versions that the run publishes and deletes

	Deployed   *runfile.Deployed // on AWS, what Lambda says about it, which must not change; nil in the lab
	Unlike     string            // why it must not be measured although it exists; "" means that it is measured
	DeployedAt time.Time         // on AWS, when CloudFormation made or changed it; zero means not known
}

func (t Target) String() string { return fmt.Sprintf("%s@%d", t.Arm, t.MemorySizeMB) }

// Options say how to measure. The zero value measures nothing.
type Options struct {
	Source record.Source
	Region string // AWS only
	RunID  string
	Seed   uint64 // of the order of arms within rounds

	Cold         int    // cold starts of each arm, one a round
	Warm         int    // warm samples of each arm, after the cold rounds
	Environments int    // for the warm samples, one a round; 0 means 10. Environments, not invocations, are the replicates
	Payload      []byte // the event; nil means each target's own

	// Burst is how many callers call a version with SnapStart at once; 0 means one. They meet the warmed restores.
	// Each first restore needs its own version. Cold is the number of restores of each kind.
	Burst int

	Load *Load // for each function, after cold and warm samples; nil means none

	// Phases asks bootstraps to time themselves, if they can. The times then include writing a line of log for INIT
	// and for each event.
	Phases bool

	// Parallel is the number of functions that are measured at the same time; 0 means 1. On one machine they would
	// disturb each other; on AWS they share nothing.
	Parallel int

	Pace  time.Duration // least time between control-plane calls; 0 means none. AWS's quota is 15 a second in a region
	Poll  time.Duration // first wait between two looks at a function that is being updated, growing to 1 s; 0 means 2 ms
	Ready time.Duration // how long to wait for an update; 0 means 5 min

	// FirstAfterDeploy is how many cold starts of a function count as the first after its deployment. Caches are
	// empty then, so these are kept apart. This applies to functions that were changed within Fresh before the run;
	// Fresh 0 means at any time.
	FirstAfterDeploy int
	Fresh            time.Duration

	// Enough is asked after each cold round, when no sample is in progress. true ends the cold rounds; nil never
	// ends them.
	Enough func(round int) bool

	Observe func(record.Record) // is called for each written record, one call at a time
}

// Outcome is the result of a run, besides its records.
type Outcome struct {
	Written     int // number of records
	Marked      int // number of those that are set apart
	Interrupted bool
	Stopped     string            // why the run could not go on, such as credentials that have expired
	NotMeasured []arm.NotMeasured // functions that stopped answering, with the reason
	Unrestored  []string          // functions that keep settings or versions of a run, with the reason
	AtEnd       map[string]runfile.Deployed
	Warnings    []string
}

func (o Options) withDefaults() Options {
	o.Environments, o.Parallel = cmp.Or(o.Environments, 10), cmp.Or(o.Parallel, 1)
	o.Poll, o.Ready = cmp.Or(o.Poll, 2*time.Millisecond), cmp.Or(o.Ready, 5*time.Minute)
	return o
}

// kinds returns the kinds of a target's cold starts: "" for INIT, or both kinds of restore.
func (o *Options) kinds(t Target) []record.Restore {
	if !t.SnapStart {
		return []record.Restore{""}
	}
	return []record.Restore{record.FirstRestore, record.WarmedRestore}
}

func (o Options) validate(targets []Target) error {
	switch {
	case o.Source != record.AWS && o.Source != record.Lab:
		return fmt.Errorf("unknown source %q: use %s or %s", o.Source, record.Lab, record.AWS)
	case o.Cold < 0 || o.Warm < 0 || o.Environments < 0 || o.Parallel < 0 || o.FirstAfterDeploy < 0:
		return fmt.Errorf("counts of samples must not be negative")
	case o.Load != nil && (o.Load.Of == "" || o.Load.Repeats < 1 || max(o.Load.Concurrency, o.Load.MaxInFlight) < 1):
		return fmt.Errorf("a load needs a name, a repeat and a request in flight: %+v", *o.Load)
	case o.Cold+o.Warm == 0 && o.Load == nil:
		return fmt.Errorf("nothing to measure: ask for cold or warm samples")
	case len(targets) == 0:
		return fmt.Errorf("nothing to measure: no arms")
	}
	functions, arms := map[string]Target{}, map[string]bool{}
	for _, t := range targets {
		if t.Arm == "" || t.FunctionName == "" {
			return fmt.Errorf("arm %q has function %q: both must be named", t.Arm, t.FunctionName)
		}
		if other, ok := functions[t.FunctionName]; ok && (t.Of == "" || other.Of != t.Of) {
			return fmt.Errorf("%s and %s are both function %s: each arm needs its own function", other, t, t.FunctionName)
		}
		if t.Alias != "" && o.Cold+o.Warm > 0 {
			return fmt.Errorf("%s runs behind alias %s, where no cold start can be forced: put it under load", t, t.Alias)
		}
		if arms[t.String()] {
			return fmt.Errorf("arm %s has two functions", t)
		}
		functions[t.FunctionName], arms[t.String()] = t, true
	}
	return nil
}

// Planned returns the number of records that a run writes if nothing fails, which is a progress bar's total.
func Planned(targets []Target, opts Options, done record.Done) int {
	opts = opts.withDefaults()
	n := 0
	for _, t := range targets {
		for _, kind := range opts.kinds(t) {
			for round := 1; round <= opts.Cold; round++ {
				n += left(done, t, record.Cold, kind, round, 1)
			}
		}
		for i, size := range schedule.Blocks(opts.Warm, opts.Environments) {
			if m := left(done, t, record.Warm, opts.kinds(t)[0], i+1, size); m > 0 {
				n += m + 1 // and the cold start that primes the environment
			}
		}
		for round := 1; opts.Load != nil && round <= opts.Load.Repeats; round++ {
			n += left(done, t, record.Loaded, "", round, opts.Load.Count(opts.arrivalSeed(round)))
		}
	}
	return n
}

// left returns how many of the wanted samples a turn still lacks.
func left(done record.Done, t Target, start record.Start, kind record.Restore, round, want int) int {
	key := record.Key{Arm: t.Arm, MemorySizeMB: t.MemorySizeMB, Start: start, Restore: kind, Round: round}
	return max(0, want-done[key])
}

// Guesses for AWS: the time of a cold start (mostly the wait for an update), of a snapshot, and of a warm invocation.
const (
	coldTakes     = 1800 * time.Millisecond
	snapshotTakes = 20 * time.Second // published versions took 10 to 30 s
	warmTakes     = 80 * time.Millisecond
)

// provisionTakes is about how long Lambda takes to allocate a provisioned environment.
const provisionTakes = 2 * time.Minute

// EstimateArms returns about how long a run on AWS takes. arms has the number of arms of each function; these
// are measured one after the other. snapStart and provisioned are the numbers of arms with SnapStart and with
// provisioned environments.
func EstimateArms(arms []int, snapStart, provisioned int, o Options) time.Duration {
	o = o.withDefaults()
	n, most := 0, 1
	for _, of := range arms {
		n, most = n+of, max(most, of)
	}
	atOnce := max(1, min(o.Parallel, n/most))
	turns := func(n int) time.Duration { return time.Duration((n + atOnce - 1) / atOnce) }
	usual, begun := n-snapStart, o.Cold+min(o.Warm, o.Environments)
	all := max(turns(usual)*coldTakes, time.Duration(usual)*o.Pace) * time.Duration(begun)
	all += turns(n) * time.Duration(o.Warm) * warmTakes
	for _, s := range o.Snapshots() {
		all += max(turns(snapStart)*s.Takes, time.Duration(snapStart*s.Versions*CallsVersion)*o.Pace)
	}
	if o.Load != nil {
		begun += o.Load.Repeats
		closed := time.Duration(o.Load.Requests/max(1, o.Load.Concurrency)) * warmTakes
		all += time.Duration(n*o.Load.Repeats) * (coldTakes + schedule.Length(o.Load.Stages) + closed)
	}
	return all + time.Duration(provisioned*begun)*provisionTakes
}

// Snapshots is what one kind of sample of one function with SnapStart needs.
type Snapshots struct {
	What               string
	Versions, Restores int
	Takes              time.Duration
}

// CallsVersion is the number of control-plane calls for each version: UpdateFunctionConfiguration, PublishVersion and
// DeleteFunction. Calls of GetFunction are not counted, because they have their own quota.
const CallsVersion = 3

// Snapshots counts the versions that a function with SnapStart needs.
func (o Options) Snapshots() (all []Snapshots) {
	o = o.withDefaults()
	burst := max(1, o.Burst)
	for _, kind := range o.kinds(Target{SnapStart: true}) {
		s := Snapshots{What: string(kind) + " restores", Versions: o.Cold, Restores: o.Cold}
		if kind == record.WarmedRestore {
			s.Versions = (o.Cold + burst - 1) / burst
		}
		all = append(all, s)
	}
	if n := min(o.Warm, o.Environments); n > 0 {
		all = append(all, Snapshots{What: "restores before warm invocations", Versions: n, Restores: n})
	}
	for i := range all {
		all[i].Takes = time.Duration(all[i].Versions) * (coldTakes + snapshotTakes)
	}
	return all
}

// Sleep waits. If the context ends, it returns early with an error.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	return smithytime.SleepWithContext(ctx, d)
}
