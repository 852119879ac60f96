// Package report computes a report from records: a table of arms, comparisons between them, and a verdict in words.
//
// Times are in ms, sizes in KiB or MB as their names say, money is in USD. A Report has no layout; package show draws
// it. Records are read as a stream. Nothing is dropped silently: a record that enters no average is counted, with the
// reason. Figures of the lab and of AWS, and figures measured and published, are never compared with each other.
package report

import (
	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
	"github.com/twinstart/twinstart/bench/record/runfile"
	"github.com/twinstart/twinstart/bench/report/stat"
)

// Schema is the version of the JSON form.
const Schema = 1

// Report holds everything that a rendering shows.
type Report struct {
	Schema      int               `json:"schema"`
	Experiment  string            `json:"experiment,omitempty"`
	Sources     []record.Source   `json:"sources"` // one, unless mixing was asked for
	Arms        []*Arm            `json:"arms"`    // fastest median INIT first
	NotMeasured []arm.NotMeasured `json:"not_measured"`
	Verdict     Verdict           `json:"verdict"`
	Answers     []Answer          `json:"answers"`                      // what a report is opened for
	Findings    []Finding         `json:"published_findings,omitempty"` // held against this report
	Comparisons []Comparison      `json:"comparisons"`                  // every arm with the best, by each tested claim
	Levers      []Levers          `json:"levers,omitempty"`             // by source, where arms are levers
	Steps       []Step            `json:"steps,omitempty"`              // between functions or sizes of memory
	Factors     []Factors         `json:"factors"`                      // by source, where arms make a factorial
	Cost        *Cost             `json:"cost"`                         // null without prices
	Index       []Index           `json:"performance_index"`
	Baselines   []Baseline        `json:"baselines"` // published, of AWS
	Warnings    []string          `json:"warnings"`
	Method      string            `json:"method"`           // how intervals and p-values came about
	Prices      string            `json:"prices,omitempty"` // which list the costs are from
	Runs        []*runfile.Run    `json:"runs,omitempty"`   // run.json of the files read
	Records     int               `json:"records"`          // read
	Unusable    int               `json:"unusable_lines"`   // passed over; the first are in Warnings
	Alpha       float64           `json:"alpha"`            // level of Told; below 0.05 if a run stopped early

	gaps []float64 // s from one cold start to the next
}

// Spread describes how a sample spreads, in ms. Null means too few values: fewer than 200 for p99, 1,000 for p99.9.
// Intervals come from order statistics and need more values in the tail: 6 for p50, 14 for p80, 29 for p90, 59 for
// p95, 299 for p99 (stat.Order).
type Spread struct {
	P20    *float64    `json:"p20_ms"`
	P20CI  *[2]float64 `json:"p20_ci95_ms"`
	P40    *float64    `json:"p40_ms"`
	P40CI  *[2]float64 `json:"p40_ci95_ms"`
	P50    *float64    `json:"p50_ms"`
	P50CI  *[2]float64 `json:"p50_ci95_ms"`
	P60    *float64    `json:"p60_ms"`
	P60CI  *[2]float64 `json:"p60_ci95_ms"`
	P80    *float64    `json:"p80_ms"`
	P80CI  *[2]float64 `json:"p80_ci95_ms"`
	P90    *float64    `json:"p90_ms"`
	P90CI  *[2]float64 `json:"p90_ci95_ms"`
	P95    *float64    `json:"p95_ms"`
	P95CI  *[2]float64 `json:"p95_ci95_ms"`
	P99    *float64    `json:"p99_ms"`
	P99CI  *[2]float64 `json:"p99_ci95_ms"`
	P999   *float64    `json:"p99_9_ms"`
	P999CI *[2]float64 `json:"p99_9_ci95_ms"`
	Max    *float64    `json:"max_ms"`
}

// Quantile is a quantile of a Spread, with pointers to read and set it.
type Quantile struct {
	Name  string // "p50"; "p99_9" as in the JSON form
	Q     float64
	Least int // number of values that it needs
	Value **float64
	CI    **[2]float64
}

// Quantiles returns the quantiles in ascending order.
func (s *Spread) Quantiles() []Quantile {
	return []Quantile{
		{"p20", 0.2, 1, &s.P20, &s.P20CI}, {"p40", 0.4, 1, &s.P40, &s.P40CI}, {"p50", 0.5, 1, &s.P50, &s.P50CI},
		{"p60", 0.6, 1, &s.P60, &s.P60CI}, {"p80", 0.8, 1, &s.P80, &s.P80CI}, {"p90", 0.9, 1, &s.P90, &s.P90CI},
		{"p95", 0.95, 1, &s.P95, &s.P95CI},
		{"p99", 0.99, stat.MinP99, &s.P99, &s.P99CI}, {"p99_9", 0.999, stat.MinP999, &s.P999, &s.P999CI},
	}
}

// Distribution summarizes a sample that was timed by one clock.
type Distribution struct {
	Count   int      `json:"count"`
	Average *float64 `json:"average_ms"`
	StdDev  *float64 `json:"sd_ms"`
	Spread
}

// Arm is one row of the table. The percentiles at its top level are those of INIT (Init Duration), as in published
// stats files.
type Arm struct {
	ID               string           `json:"id"`  // bootstrap/package
	Arm              string           `json:"arm"` // with @memory and the like if a file holds several arms with one id
	Source           record.Source    `json:"source"`
	Region           string           `json:"region,omitempty"`
	Bootstrap        string           `json:"bootstrap,omitempty"`
	Package          arm.Package      `json:"package,omitempty"`
	Architecture     arm.Architecture `json:"architecture,omitempty"`
	MemorySizeMB     int              `json:"memory_size_mb,omitempty"`
	Handler          string           `json:"handler,omitempty"`
	StandIn          string           `json:"stand_in,omitempty"`  // lab: what replaces a managed runtime, with versions
	Restore          string           `json:"restore,omitempty"`   // "first restore", "warmed restore" or "restored"
	Published        string           `json:"published,omitempty"` // by whom; "" if it was measured
	PackageSizeBytes int64            `json:"package_size_bytes,omitempty"`

	InitCount   int      `json:"init_count"`
	InitTotal   *float64 `json:"init_total_ms"`
	InitAverage *float64 `json:"init_average_ms"`
	InitStdDev  *float64 `json:"init_sd_ms"`
	Spread

	// The next fields are the lab's. They say what was read and used before GET /next: from starts made for counting if
	// there were any, else the medians of measured starts.
	InitReadKiB          *float64 `json:"init_read_kib"` // of the package
	InitReadChunks       *float64 `json:"init_read_chunks"`
	FirstResponseReadKiB *float64 `json:"first_response_read_kib"`
	ManagedRuntime       string   `json:"managed_runtime,omitempty"` // that it starts, for example node; not predicted
	InitBaseReadKiB      *float64 `json:"init_base_read_kib"`        // of the base image's own files
	InitLibcReadKiB      *float64 `json:"init_libc_read_kib"`        // the part that is the C library and its loader
	InitCPUMs            *float64 `json:"init_cpu_ms"`               // of the process tree
	InitWarmCPUMs        *float64 `json:"init_warm_cpu_ms"`          // the same with every page in memory
	InitPageFaults       *float64 `json:"init_page_faults"`
	InitMajorPageFaults  *float64 `json:"init_major_page_faults"`

	PredictedAWS *Predicted `json:"predicted_on_aws"` // lab; a prediction, never measured

	ColdTotal      Distribution `json:"cold_total"`        // INIT + first Duration
	CallerWait     Distribution `json:"caller_wait"`       // client clock around a cold start
	Warm           Distribution `json:"warm"`              // Duration of warm invocations
	Environments   int          `json:"warm_environments"` // that served the warm samples: the independent replicates
	ResidualMedian *float64     `json:"residual_p50_ms"`   // caller's wait - cold total - warm round trip: before INIT

	Load *Load `json:"load,omitempty"` // what callers met, if it was under load

	Phases []Phase `json:"phases,omitempty"` // by the bootstrap's own clock, if it was asked to time itself

	Outlier      *Outlier `json:"outlier,omitempty"`       // the most distant; outliers stay in every figure
	OutlierCount int      `json:"outlier_count,omitempty"` // of all clocks

	MaxMemoryUsedMB *int     `json:"max_memory_used_mb"`
	ColdBilled      *float64 `json:"cold_billed_p50_ms"` // INIT included
	WarmBilled      *float64 `json:"warm_billed_p50_ms"`
	ColdCost        *float64 `json:"cold_usd_per_million"` // cold starts, INIT and request included
	WarmCost        *float64 `json:"warm_usd_per_million"`

	FirstAfterDeploy int            `json:"first_after_deploy,omitempty"` // cold starts kept apart
	SetApart         map[string]int `json:"set_apart,omitempty"`          // samples that enter no average, by reason
	FunctionErrors   int            `json:"function_errors,omitempty"`
	LastError        string         `json:"last_error,omitempty"`

	of *measured // the samples behind it; nil if the arm is not of this package
}

// Clock names what a time covers. Times of different clocks are never compared.
type Clock string

// The clocks of a cold start, of a warm invocation and of a load. Claims do not use ClockFirst: the first invocation is
// part of the cold total. A load is compared by repeats: the median of a repeat is one value.
const (
	ClockInit  Clock = "INIT"
	ClockFirst Clock = "first invocation"
	ClockTotal Clock = "cold total"
	ClockWait  Clock = "caller's wait"
	ClockWarm  Clock = "warm Duration"
	ClockLoad  Clock = "latency under load"
)

// The clocks that claims use, and all clocks of a cold start.
var (
	coldClocks  = []Clock{ClockInit, ClockTotal, ClockWait}
	allClocks   = []Clock{ClockInit, ClockTotal, ClockWait, ClockWarm}
	startClocks = []Clock{ClockFirst, ClockInit, ClockTotal, ClockWait}
)

// Means says what a clock measures.
func (c Clock) Means() string {
	return map[Clock]string{
		ClockInit:  "Init Duration",
		ClockTotal: "INIT + first Duration",
		ClockWait:  "client clock around a cold start",
		ClockWarm:  "Duration of a warm invocation",
		ClockLoad:  "from when a request was due until its response",
	}[c]
}

// Comparison compares two arms by one clock. Interval and p-value come from the same test and are corrected for all
// pairs.
type Comparison struct {
	Clock     Clock      `json:"clock"`
	At        At         `json:"at"`
	Arm       string     `json:"arm"`
	Than      string     `json:"than"`       // usually the best
	Ratio     float64    `json:"ratio"`      // arm / than
	CI        [2]float64 `json:"ratio_ci95"` // in 95 % of runs, all intervals of the claim hold
	P         float64    `json:"p"`          // adjusted for all pairs of the claim
	Told      bool       `json:"told_apart"` // the interval excludes 1
	Test      string     `json:"test"`
	N         int        `json:"n"`                     // rounds that both share, or values of the smaller sample
	Effective float64    `json:"effective_n,omitempty"` // fewer than N if neighbours depend on each other
	Why       string     `json:"untested,omitempty"`    // why nothing was tested; Ratio, CI and P mean nothing then

	name string // in an answer to a question
}

// At is what a claim says about the winner.
type At string

// The claims, named after what they test. A claim about a tail names its percentile: "lower p90".
const (
	UsuallyFaster At = "usually faster" // in most rounds: signed ranks of log ratios; rank sums if there are no rounds
	LowerMedian   At = "lower median"   // rounds resampled
	LowerTail     At = "lower tail"     // likewise; used when the claim could not be tested
)

// Verdict says in words what the figures show.
type Verdict struct {
	Sequence string   `json:"sequence"` // the order in which claims are tested, fixed before looking
	Claims   []*Claim `json:"claims"`
	Limits   []string `json:"limits"` // questions that these figures cannot answer
}

// Claim says which arm is best. Claims are tested in a fixed order, and each only if the one before it told arms
// apart. So if no arms differ, a report names a winner in 5 % of runs, however many claims it makes.
type Claim struct {
	Topic     string        `json:"topic"` // cold, warm, or folklore
	Source    record.Source `json:"source"`
	Published string        `json:"published,omitempty"` // by whom, for published arms
	Among     string        `json:"among,omitempty"`     // the function or kind of package that is compared
	Clock     Clock         `json:"clock"`
	At        At            `json:"at"`
	Primary   bool          `json:"primary,omitempty"`
	Tested    bool          `json:"tested"`             // if false, Text says why
	Arms      int           `json:"arms"`               // number of arms that were compared
	Winners   []string      `json:"winners"`            // the best arm and its ties; empty if not tested
	Power     *float64      `json:"power_5_percent"`    // chance to tell 5 %; the median over pairs
	Detects   *float64      `json:"detects"`            // the ratio that 80 % of such runs tell
	Question  string        `json:"question,omitempty"` // folklore: "image", "image-minimal", "compressed", "padded"
	Pairs     []Comparison  `json:"pairs,omitempty"`    // the comparisons that answer the question
	Text      string        `json:"text"`

	of   []*measured // the arms, best median first
	next *Comparison // the best arm that is told to be slower than the winner, or nil
}

// Told reports whether the claim calls any arm better than another.
func (c *Claim) Told() bool { return c.Tested && len(c.Winners) > 0 && len(c.Winners) < c.Arms }
