// Package record defines the raw result of measuring: one Record per invocation, as JSON Lines, append-only.
//
// Records are the interchange format. Measuring writes them, and everything else only reads them, so that any old
// file can be reported on again.
package record

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/counts"
)

// Schema is the version of the format that this package writes, and the newest that it reads.
const Schema = 1

// Source is where an invocation ran. A lab figure is never presented as an AWS figure.
type Source string

// The sources.
const (
	AWS Source = "aws"
	Lab Source = "lab"
)

// Start says which kind of sample an invocation was meant to be. If it turned out otherwise, Marked says so.
type Start string

// The kinds of start.
const (
	Cold Start = "cold" // an execution environment's first invocation
	Warm Start = "warm"
)

// Record is one invocation. Field names follow Lambda's platform.report. A missing value is never 0: pointers are nil
// if the source did not say, and numbers that count from 1 are 0 only if missing.
type Record struct {
	Line   int    `json:"-"` // of the file that it was read from, from 1
	Schema int    `json:"schema"`
	RunID  string `json:"runId,omitempty"`
	Source Source `json:"source"`
	Region string `json:"region,omitempty"` // AWS only

	Experiment       string           `json:"experiment,omitempty"`
	Arm              string           `json:"arm"` // bootstrap/package
	Bootstrap        string           `json:"bootstrap,omitempty"`
	Package          arm.Package      `json:"package,omitempty"`
	Architecture     arm.Architecture `json:"architecture,omitempty"`
	MemorySizeMB     int              `json:"memorySizeMB,omitempty"`
	Handler          string           `json:"handler,omitempty"`
	StandIn          string           `json:"standIn,omitempty"` // lab: what stands in for Lambda's managed runtime
	PackageSizeBytes int64            `json:"packageSizeBytes,omitempty"`

	Levels map[string]string `json:"levels,omitempty"` // levels of further factors, from the arm's identity

	Round       int   `json:"round,omitempty"`       // from 1; a round measures each arm once
	Order       int   `json:"order,omitempty"`       // position within the round, from 1
	Start       Start `json:"start"`                 // cold or warm
	Environment int   `json:"environment,omitempty"` // from 1, for each arm; warm samples of one environment correlate

	RequestID string    `json:"requestId,omitempty"`
	StartedAt time.Time `json:"startedAt,omitzero"` // UTC, the caller's clock

	InitDurationMs     *float64 `json:"initDurationMs,omitempty"`     // cold starts only
	InitializationType string   `json:"initializationType,omitempty"` // Lambda's name: on-demand, ...; "" is not known

	counts.Counts // lab: what was read, CPU and page faults

	RestoreDurationMs       *float64 `json:"restoreDurationMs,omitempty"`       // SnapStart, in place of INIT
	BilledRestoreDurationMs *float64 `json:"billedRestoreDurationMs,omitempty"` // its billed part; not in BilledDurationMs
	Restore                 Restore  `json:"restore,omitempty"`                 // SnapStart: the kind; "" is not known

	DurationMs       *float64 `json:"durationMs,omitempty"`       // the invocation, INIT apart
	BilledDurationMs *float64 `json:"billedDurationMs,omitempty"` // whole ms
	MaxMemoryUsedMB  *int     `json:"maxMemoryUsedMB,omitempty"`
	ClientDurationMs *float64 `json:"clientDurationMs,omitempty"` // the caller's wait: client wall clock around Invoke

	// Moments by the bootstrap's own clock, if TWINSTART_PHASES=1 asked for them: ms since its process began (cold starts
	// only), and ms since the first byte of the event.
	InitPhasesMs  map[string]float64 `json:"initPhasesMs,omitempty"`
	EventPhasesMs map[string]float64 `json:"eventPhasesMs,omitempty"`

	Load *Arrival `json:"load,omitempty"` // of a load's request; its Start is "" if nothing says whether it was cold

	FunctionError    string `json:"functionError,omitempty"` // short, one line
	LogStream        string `json:"logStream,omitempty"`
	FirstAfterDeploy bool   `json:"firstAfterDeploy,omitempty"` // caches are empty then: kept apart
	Marked           Mark   `json:"marked,omitempty"`           // why the sample is in no average

	// Published says who published the sample, if it was imported and not measured. Such samples are compared with their
	// own kind only.
	Published string   `json:"published,omitempty"`
	Summary   *Summary `json:"summary,omitempty"` // figures of many invocations, in place of one's
}

// Summary holds published figures of many invocations whose samples were not published. It enters no average.
type Summary struct {
	Of        string             `json:"of"` // what was measured, such as "INIT"
	Count     int                `json:"count,omitempty"`
	AverageMs *float64           `json:"averageMs,omitempty"`
	Ms        map[string]float64 `json:"ms,omitempty"` // percentiles by name: p20, p50, p99, max
	CostUSD   *float64           `json:"costUSD,omitempty"`
}

// Mark says why a sample is set apart. It is text for people; a colon and detail may follow.
type Mark string

// The reasons for marks.
const (
	NoReport        Mark = "no REPORT"            // the log tail has none
	ColdWithoutInit Mark = "cold without Init"    // it met a warm environment
	WarmWithInit    Mark = "warm with Init"       // it met a new environment
	AfterCrash      Mark = "INIT inside Duration" // the invocation before it killed the environment
	InitAhead       Mark = "INIT that nobody waited for"
	FunctionFailed  Mark = "function error"        // its Duration measures a failure
	Throttled       Mark = "throttled"             // it did not run; retries are off
	NoAnswer        Mark = "no answer"             // the call itself went wrong
	Priming         Mark = "primes an environment" // the cold start before a block of warm samples
	BadReport       Mark = "REPORT not understood" // a field that should be a number was not
	Changed         Mark = "changed meanwhile"     // someone else changed the function
	NotRestored     Mark = "INIT in place of a restore"
	Untraced        Mark = "not traced as asked"
	Spilled         Mark = "spilled over" // no provisioned environment was free
	Shed            Mark = "shed"         // a load did not send it: too many were in flight
)

// Restore is the kind of a restore. The two kinds are never averaged together.
type Restore string

// The kinds of restore: the first restore of a version that was never called before, and restores of a version that
// many callers call at once, which brings its snapshot into caches.
const (
	FirstRestore  Restore = "first"
	WarmedRestore Restore = "warmed"
)

// Values of InitializationType. With the first, no caller waits for INIT; with the second, a caller does. If a load's
// request to provisioned environments has the second, it has spilled over.
const (
	ProvisionedConcurrency = "provisioned-concurrency"
	OnDemand               = "on-demand"
)

// Ahead reports whether the environment was initialized before its caller came. Its first REPORT has an Init Duration
// nevertheless. It was measured without INIT's CPU boost, and no cold start includes it.
func (r *Record) Ahead() bool { return r.InitializationType == ProvisionedConcurrency }

// StartMs returns the time before an environment's first event: the restore's, if there was one, or else INIT's.
func (r *Record) StartMs() (ms *float64, restored bool) {
	if r.RestoreDurationMs != nil {
		return r.RestoreDurationMs, true
	}
	return r.InitDurationMs, false
}

// ColdTotalMs returns INIT (or restore) + first Duration: the second of the three clocks. It is a lower bound:
// download, unpacking and placement come before INIT and are in no REPORT.
func (r *Record) ColdTotalMs() (ms float64, ok bool) {
	init, _ := r.StartMs()
	if r.Start == Cold && r.Ahead() && r.DurationMs != nil {
		return *r.DurationMs, true
	}
	if r.Start != Cold || init == nil || r.DurationMs == nil {
		return 0, false
	}
	return *init + *r.DurationMs, true
}

// Identify copies the arm's identity into the record.
func (r *Record) Identify(id arm.Identity) {
	r.Experiment, r.Arm, r.Bootstrap, r.Package = id.Experiment, id.Arm, id.Bootstrap, id.Package
	r.Architecture, r.MemorySizeMB, r.Levels = id.Architecture, id.MemorySizeMB, id.Levels
	r.Handler, r.StandIn = id.Handler, id.StandIn
}

// maxMs bounds times: 11 days. Lambda ends an invocation after 15 minutes.
const maxMs = 1e9

// Validate returns an error if the record cannot be used.
func (r *Record) Validate() error {
	switch {
	case r.Schema == 0:
		return fmt.Errorf("not a record: it has no schema")
	case r.Schema > Schema:
		return fmt.Errorf("schema %d is newer than this twinstart reads (%d): update twinstart", r.Schema, Schema)
	case r.Schema < 0:
		return fmt.Errorf("schema %d does not exist", r.Schema)
	case r.Arm == "":
		return fmt.Errorf("not a record: it has no arm")
	case r.Source != AWS && r.Source != Lab:
		return fmt.Errorf("unknown source %q: want %s or %s", r.Source, AWS, Lab)
	case r.Start != Cold && r.Start != Warm && (r.Start != "" || r.Load == nil):
		return fmt.Errorf("unknown start %q: want %s or %s", r.Start, Cold, Warm)
	case r.Restore != "" && r.Restore != FirstRestore && r.Restore != WarmedRestore:
		return fmt.Errorf("unknown restore %q: want %s or %s", r.Restore, FirstRestore, WarmedRestore)
	}
	whole := func(n int) *float64 { return new(float64(n)) }
	for _, f := range []struct {
		name string
		x    *float64
		most float64
	}{
		{"initDurationMs", r.InitDurationMs, maxMs}, {"restoreDurationMs", r.RestoreDurationMs, maxMs},
		{"billedRestoreDurationMs", r.BilledRestoreDurationMs, maxMs}, {"durationMs", r.DurationMs, maxMs},
		{"billedDurationMs", r.BilledDurationMs, maxMs}, {"clientDurationMs", r.ClientDurationMs, maxMs},
		{"memorySizeMB", whole(r.MemorySizeMB), math.MaxInt32}, {"round", whole(r.Round), math.MaxInt32},
		{"maxMemoryUsedMB", whole(*cmp.Or(r.MaxMemoryUsedMB, new(int))), math.MaxInt32},
		{"packageSizeBytes", whole(int(r.PackageSizeBytes)), math.MaxInt64},
		{"order", whole(r.Order), math.MaxInt32}, {"environment", whole(r.Environment), math.MaxInt32},
	} {
		switch {
		case f.x != nil && !(*f.x >= 0):
			return fmt.Errorf("%s is %v: want a number >= 0", f.name, *f.x)
		case f.x != nil && *f.x > f.most:
			return fmt.Errorf("%s is %v: no invocation has so much", f.name, *f.x)
		}
	}
	figures := []map[string]float64{r.InitPhasesMs, r.EventPhasesMs}
	if r.Summary != nil {
		figures = append(figures, r.Summary.Ms)
	}
	for _, ms := range figures {
		for name, x := range ms {
			if !(x >= 0) || math.IsInf(x, 0) {
				return fmt.Errorf("%s is at %v ms: want a number >= 0", name, x)
			}
		}
	}
	if r.Summary != nil && r.Published == "" {
		return fmt.Errorf("a summary needs published: it says whose figures these are")
	}
	return cmp.Or(r.Load.validate(), r.Counts.Validate())
}

// Key names one place in a run's plan: this arm's turn in this round. A cold round holds one sample of each arm, a warm
// one as many as its environment serves.
type Key struct {
	Arm          string
	MemorySizeMB int
	Start        Start
	Restore      Restore
	Round        int
}

// Key is the record's place.
func (r *Record) Key() Key {
	if r.Load != nil {
		return Key{Arm: r.Arm, MemorySizeMB: r.MemorySizeMB, Start: Loaded, Round: r.Round}
	}
	return Key{Arm: r.Arm, MemorySizeMB: r.MemorySizeMB, Start: r.Start, Restore: r.Restore, Round: r.Round}
}

// Done counts what a run has measured.
type Done map[Key]int

// Add counts a record that the plan asked for. It skips priming cold starts, and calls without an answer, which
// --resume repeats. A request of a load is not repeated: its time has passed.
func (d Done) Add(r *Record) {
	if r.Load == nil && (r.Marked.Is(Priming) || r.Marked.Is(Throttled) || r.Marked.Is(NoAnswer)) {
		return
	}
	d[r.Key()]++
}

// Is reports whether m is of a kind, with or without detail after a colon.
func (m Mark) Is(kind Mark) bool { return m == kind || strings.HasPrefix(string(m), string(kind)+": ") }

// With adds detail to a mark.
func (m Mark) With(detail string) Mark { return Mark(fmt.Sprintf("%s: %s", m, detail)) }

// ReadDone counts the records of a file. If there is no file, nothing is done yet. It skips lines that are not
// records; a report names them.
func ReadDone(path string) (Done, error) {
	done := Done{}
	err := Each(path, done.Add, func(error) {})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return done, err
}
