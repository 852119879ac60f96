// Package measure measures functions through Lambda's API. It is the one driver there is: what answers may be AWS or the
// lab, and it cannot tell them apart.
//
// It keeps the rules that others paid for. A cold start is forced by a nonce in an environment variable, and a function
// is invoked only once its RevisionId has changed and its LastUpdateStatus is Successful, because Successful alone can be
// the old state. Retries are off where it measures, because a throttle that was retried comes back as a long success.
// Invocations of one function follow each other; arms are interleaved in random order within rounds. A sample that is
// not what it was meant to be is written with a mark, and is in no average.
package measure

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
)

// Target is an arm and where it runs.
type Target struct {
	arm.Identity
	FunctionName     string // name or ARN, as Invoke takes it
	PackageSizeBytes int64  // 0: not known

	Deployed   *runfile.Deployed // AWS: what Lambda says that it is, and that it has to stay; nil where nobody else can change it
	Unlike     string            // why it must not be measured although it is there; "" is measured
	DeployedAt time.Time         // AWS: when CloudFormation made or changed it; zero: not known
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
	Environments int    // how many environments serve them, a round each; 0 means 10. They, not invocations, are the replicates
	Payload      []byte // the event; nil means {}

	// Phases asks bootstraps to time themselves, which some can: a line of log per INIT and event is part of what is measured then.
	Phases bool

	// Parallel is how many functions are measured at a time; 0 means 1. On one machine more than one would measure the
	// others' work too; on AWS functions do not share anything.
	Parallel int

	Pace  time.Duration // least time between control-plane calls; 0: none. AWS allows 15 a second in an account: AWSPace
	Poll  time.Duration // first wait between two looks at a function that is being updated, growing to 1 s; 0 means 2 ms
	Ready time.Duration // when to give up on an update; 0 means 5 min

	// FirstAfterDeploy is how many cold starts of a function count as the first after its deployment, when caches are
	// empty, and are kept apart; only for functions changed within Fresh before the run. Fresh 0 means whenever.
	FirstAfterDeploy int
	Fresh            time.Duration

	// Enough is asked after each cold round, none of whose samples is under way then; true ends the cold rounds. nil never does.
	Enough func(round int) bool

	Observe func(record.Record) // called for each record once it is written, one call at a time; for progress
}

// AWSPace keeps below AWS's quota of 15 control-plane calls a second in an account and region.
const AWSPace = 100 * time.Millisecond

// Outcome is what a run came to, besides its records.
type Outcome struct {
	Written     int // records
	Marked      int // of them, set apart
	Interrupted bool
	Stopped     string            // why the run could not go on, such as credentials that have expired
	NotMeasured []arm.NotMeasured // functions that stopped answering, with the reason
	Unrestored  []string          // functions that keep a run's environment variable, with the reason
	AtEnd       map[string]runfile.Deployed
	Warnings    []string
}

func (o Options) withDefaults() Options {
	o.Environments, o.Parallel = cmp.Or(o.Environments, 10), cmp.Or(o.Parallel, 1)
	o.Poll, o.Ready = cmp.Or(o.Poll, 2*time.Millisecond), cmp.Or(o.Ready, 5*time.Minute)
	if o.Payload == nil {
		o.Payload = []byte("{}")
	}
	return o
}

func (o Options) validate(targets []Target) error {
	switch {
	case o.Source != record.AWS && o.Source != record.Lab:
		return fmt.Errorf("unknown source %q: use %s or %s", o.Source, record.Lab, record.AWS)
	case o.Cold < 0 || o.Warm < 0 || o.Environments < 0 || o.Parallel < 0 || o.FirstAfterDeploy < 0:
		return fmt.Errorf("counts of samples must not be negative")
	case o.Cold+o.Warm == 0:
		return fmt.Errorf("nothing to measure: ask for cold or warm samples")
	case len(targets) == 0:
		return fmt.Errorf("nothing to measure: no arms")
	}
	functions, arms := map[string]Target{}, map[string]bool{}
	for _, t := range targets {
		if t.Arm == "" || t.FunctionName == "" {
			return fmt.Errorf("arm %q has function %q: both must be named", t.Arm, t.FunctionName)
		}
		if other, ok := functions[t.FunctionName]; ok {
			return fmt.Errorf("%s and %s are both function %s: an arm needs one of its own", other, t, t.FunctionName)
		}
		if arms[t.String()] {
			return fmt.Errorf("arm %s has two functions", t)
		}
		functions[t.FunctionName], arms[t.String()] = t, true
	}
	return nil
}

// What a run on AWS is guessed to take before it begins: a cold start, most of which is waiting for an update, and a warm invocation.
const (
	coldTakes = 1800 * time.Millisecond
	warmTakes = 80 * time.Millisecond
)

// Estimate is about how long it takes to measure so many functions on AWS.
func Estimate(functions int, o Options) time.Duration {
	o = o.withDefaults()
	turns := time.Duration((functions + o.Parallel - 1) / o.Parallel)
	cold, warm := time.Duration(o.Cold+min(o.Warm, o.Environments)), time.Duration(o.Warm)
	return max(turns*coldTakes, time.Duration(functions)*o.Pace)*cold + turns*warm*warmTakes
}

// Sleep ends early, with an error, when the context does.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
