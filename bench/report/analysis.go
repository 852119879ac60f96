package report

import (
	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// Factors holds the effects of bootstrap, package and memory. They come from a full factorial model of log INIT or of
// log latency under load, over all arms that differ in these factors only. An effect is a ratio of geometric means:
// 0.79 is 21 % faster.
type Factors struct {
	Source       record.Source    `json:"source"`
	Region       string           `json:"region,omitempty"`
	Experiment   string           `json:"experiment,omitempty"`
	Architecture arm.Architecture `json:"architecture,omitempty"`
	Handler      string           `json:"handler,omitempty"`

	Clock        Clock       `json:"clock"`
	Model        string      `json:"model"` // "log INIT ~ bootstrap x package"
	Observations int         `json:"observations"`
	Cells        int         `json:"cells"` // arms
	R2           float64     `json:"r2"`    // share of the variance of log INIT between cells
	ResidualSD   float64     `json:"residual_sd_log"`
	Terms        []Term      `json:"terms"`
	Effects      []Effect    `json:"effects"`
	Covariates   []Covariate `json:"covariates"` // over arms: KiB read, and size of the package
	Crossovers   []Crossover `json:"crossovers"`
	Text         []string    `json:"text"` // the findings in words
}

// Term is a line of the analysis of variance: a factor or an interaction, given all terms that do not contain it
// (type II).
type Term struct {
	Term  string  `json:"term"` // "bootstrap", "package", "bootstrap x package"
	DF    int     `json:"df"`
	F     float64 `json:"f"`
	Share float64 `json:"share"` // of the variance of log INIT

	p float64
}

// Effect compares one level of a factor with another.
type Effect struct {
	Factor           string     `json:"factor"` // bootstrap, package or memory
	Level            string     `json:"level"`
	Than             string     `json:"than"`
	Within           string     `json:"within,omitempty"`             // a level of another factor; "" if averaged over all
	PackageSizeBytes int64      `json:"package_size_bytes,omitempty"` // of the bootstrap, if Within is set
	Ratio            float64    `json:"ratio"`
	CI               [2]float64 `json:"ratio_ci95"`
	P                float64    `json:"p"`          // from the same test as CI, for this effect alone
	Told             bool       `json:"told_apart"` // by Holm over the factor's effects, if the primary claim tells any
}

// Covariate is the effect of a property of the arms that is not a factor.
type Covariate struct {
	Name  string     `json:"name"` // "package" or "what is read before GET /next"
	Unit  string     `json:"unit"` // "MiB"
	Ratio float64    `json:"ratio_per_unit"`
	CI    [2]float64 `json:"ratio_ci95"`
	P     float64    `json:"p"`
	DF    int        `json:"df"` // arms less parameters; the replicates are arms, not cold starts
}

// Crossover is the package size at which two kinds of package have the same INIT, from a line through log ratios over
// sizes.
type Crossover struct {
	Package arm.Package `json:"package"`
	Than    arm.Package `json:"than"`
	KiB     *float64    `json:"kib"`      // null if the line does not cross zero within the measured sizes
	CI      *[2]float64 `json:"kib_ci95"` // Fieller's interval; null if it is unbounded
	Text    string      `json:"text"`
}

// Cost holds the cost of arms at a share of cold starts, in USD per million invocations, and the shares at which the
// cheapest arm changes. Arms that tie if no start or every start is cold have no such share.
type Cost struct {
	Formula   string      `json:"formula"`
	ColdShare float64     `json:"cold_share"` // assumed in USD
	Arms      []ArmCost   `json:"arms"`       // cheapest first
	Cheapest  []Cheapest  `json:"cheapest"`   // at ColdShare: for each source, and in the lab for each kind of package
	BreakEven []BreakEven `json:"break_even"` // where another arm becomes the cheapest as the share grows
}

// Cheapest is the arm that costs least and all arms that cannot be told from it.
type Cheapest struct {
	Source record.Source `json:"source"`
	Among  string        `json:"among,omitempty"`
	Arms   []string      `json:"arms"`
	Told   bool          `json:"told_apart"` // some arm is told to cost more
	Text   string        `json:"text"`

	next *Comparison // the next arm that is told to cost more, or nil
}

// ArmCost is a line over the share of cold starts: Warm + share * (Cold - Warm).
type ArmCost struct {
	Arm    string        `json:"arm"`
	Source record.Source `json:"source"`
	Cold   float64       `json:"cold_usd_per_million"`
	ColdCI *[2]float64   `json:"cold_usd_ci95"` // rounds resampled
	Warm   float64       `json:"warm_usd_per_million"`
	WarmCI *[2]float64   `json:"warm_usd_ci95"`   // environments resampled; null below 10 of them
	USD    float64       `json:"usd_per_million"` // at ColdShare
	USDCI  *[2]float64   `json:"usd_ci95"`

	// Provisioned concurrency costs less than on-demand if one environment is busy for more than this share of the
	// time. Null means never, or that its price is unknown.
	ProvisionedBusy *float64    `json:"provisioned_busy_share"`
	ProvisionedCI   *[2]float64 `json:"provisioned_busy_ci95"`

	of *measured
	// Draws of Cold, of Warm and of USD: rounds and environments resampled. They are nil if there are too few
	// environments.
	cold, warm, draws []float64
}

// BreakEven is the share of cold starts at which two arms cost the same. Below it Arm is cheaper, above it Than is.
type BreakEven struct {
	Arm       string     `json:"arm"`
	Than      string     `json:"than"`
	ColdShare float64    `json:"cold_share"`
	CI        [2]float64 `json:"cold_share_ci95"`

	of [2]int // indices of Arm and Than
}

// Index is the performance index of language comparisons: the slowest arm has 1, an arm twice as fast has 2. Over
// several handlers it is the geometric mean, because the arithmetic mean of ratios depends on the direction of the
// ratio.
type Index struct {
	Arm       string        `json:"arm"` // an arm's id; with @memory if there are several
	Source    record.Source `json:"source"`
	Clock     Clock         `json:"clock"`
	Function  string        `json:"function,omitempty"` // if the arm has several; "" is the mean over them
	Functions int           `json:"functions"`          // handlers averaged
	Index     float64       `json:"performance_index"`
	CI        [2]float64    `json:"performance_index_ci95"`
}

// Outlier is a value far from the rest of its arm: beyond Tukey's outer fences on the log scale. It stays in every
// figure.
type Outlier struct {
	Clock Clock   `json:"clock"`
	Ms    float64 `json:"ms"`
}

// Baseline is a published figure of AWS. It is shown beside measured figures and never mixed with them.
type Baseline struct {
	Set          string           `json:"set"`               // where it was published
	Setting      string           `json:"setting,omitempty"` // under which conditions
	Source       record.Source    `json:"source"`            // aws
	Published    bool             `json:"published"`
	Arm          string           `json:"arm"`
	Architecture arm.Architecture `json:"architecture,omitempty"`
	MemorySizeMB int              `json:"memory_size_mb,omitempty"`
	Clock        Clock            `json:"clock"`
	Count        int              `json:"count,omitempty"`
	Average      *float64         `json:"average_ms"`
	StdDev       *float64         `json:"sd_ms"`
	Spread
	PackageSizeBytes int64    `json:"package_size_bytes,omitempty"`
	USD              *float64 `json:"usd,omitempty"` // cost of an invocation, as published
}
