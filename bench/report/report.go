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
	Findings    []Finding         `json:"published_findings,omitempty"` // checked against this report
	Comparisons []Comparison      `json:"comparisons"`                  // every arm with the best, by each tested claim
	Levers      []Levers          `json:"levers,omitempty"`             // by source, if arms are levers
	Steps       []Step            `json:"steps,omitempty"`              // between functions or sizes of memory
	Factors     []Factors         `json:"factors"`                      // by source, if arms make a factorial
	Cost        *Cost             `json:"cost"`                         // null without prices
	Index       []Index           `json:"performance_index"`
	Baselines   []Baseline        `json:"baselines"` // published, of AWS
	Warnings    []string          `json:"warnings"`
	Method      string            `json:"method"`           // how intervals and p-values came about
	Prices      string            `json:"prices,omitempty"` // which list the costs are from
	Runs        []*runfile.Run    `json:"runs,omitempty"`   // run.json of the files read, in its own spelling
	Records     int               `json:"records"`          // read
	Unusable    int               `json:"unusable_lines"`   // passed over; the first are in Warnings
	Alpha       float64           `json:"alpha"`            // level of Told; below 0.05 if a run stopped early

	gaps []float64 // s from one cold start to the next
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

	// The next fields are the lab's. They say what an arm reads and uses before GET /next. They come from starts made for
	// counting; without such starts they are the medians of measured starts.
	InitReadKiB          *float64 `json:"init_read_kib"` // of the package
	InitReadChunks       *float64 `json:"init_read_chunks"`
	FirstResponseReadKiB *float64 `json:"first_response_read_kib"`   // of the package, before the first response
	ManagedRuntime       string   `json:"managed_runtime,omitempty"` // the runtime that it starts: "node"; not predicted
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
	ResidualMedian *float64     `json:"residual_p50_ms"`   // before INIT: caller's wait - cold total - warm round trip

	Load *Load `json:"load,omitempty"` // what callers met, if it was under load

	Phases []Phase `json:"phases,omitempty"` // by the bootstrap's own clock, if it timed itself

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

	of *measured // the samples behind it; nil if this package did not make the arm
}
