package report

import (
	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/bench/record"
)

// Factors is what bootstrap, package and memory do to a cold start, told apart by the full factorial: a model of log INIT over all
// arms that differ in these factors only. An effect is a ratio of geometric means; 0.79 is 21 % faster.
type Factors struct {
	Source       record.Source    `json:"source"`
	Region       string           `json:"region,omitempty"`
	Experiment   string           `json:"experiment,omitempty"`
	Architecture arm.Architecture `json:"architecture,omitempty"`
	Handler      string           `json:"handler,omitempty"`

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

// Term is a line of the analysis of variance: a factor or an interaction, each given all terms that do not contain it (type II).
type Term struct {
	Term  string  `json:"term"` // "bootstrap", "package", "bootstrap x package"
	DF    int     `json:"df"`
	F     float64 `json:"f"`
	Share float64 `json:"share"` // of the variance of log INIT

	p float64
}

// Effect is one level of a factor against another.
type Effect struct {
	Factor           string     `json:"factor"` // bootstrap, package or memory
	Level            string     `json:"level"`
	Than             string     `json:"than"`
	Within           string     `json:"within,omitempty"` // where it was seen ("nethttp", "zip @512"); "": the mean over all
	Bootstraps       []string   `json:"bootstraps,omitempty"`
	PackageSizeBytes int64      `json:"package_size_bytes,omitempty"` // of the level's package, where Within names one
	Ratio            float64    `json:"ratio"`
	CI               [2]float64 `json:"ratio_ci95"`
	P                float64    `json:"p"`          // of the same test as CI, for this effect alone
	Told             bool       `json:"told_apart"` // once corrected for all effects of the factor, where the primary claim tells arms apart
}

// Covariate is what a property of the arms, other than a factor, explains.
type Covariate struct {
	Name  string     `json:"name"` // "read" or "package size"
	Unit  string     `json:"unit"` // "MiB"
	Ratio float64    `json:"ratio_per_unit"`
	CI    [2]float64 `json:"ratio_ci95"`
	P     float64    `json:"p"`
	DF    int        `json:"df"` // arms less parameters: arms, not cold starts, are the replicates
}

// Crossover is the package size at which two kinds of package take as long, from a line through log ratios over sizes.
type Crossover struct {
	Clock   Clock       `json:"clock"`
	Package arm.Package `json:"package"`
	Than    arm.Package `json:"than"`
	Points  []SizePoint `json:"points"`
	KiB     *float64    `json:"kib"`      // null: the line does not cross zero within ten times the sizes measured
	CI      *[2]float64 `json:"kib_ci95"` // Fieller's; null: it has no end
	Text    string      `json:"text"`
}

// SizePoint is one size of a sweep.
type SizePoint struct {
	Bootstrap string     `json:"bootstrap"`
	KiB       float64    `json:"kib"`
	Ratio     float64    `json:"ratio"` // package / than
	CI        [2]float64 `json:"ratio_ci95"`
}

// Cost is what arms cost at a share of cold starts, and where that changes which is cheapest. USD per million invocations.
type Cost struct {
	Formula   string      `json:"formula"`
	ColdShare float64     `json:"cold_share"` // assumed in USD
	Arms      []ArmCost   `json:"arms"`       // cheapest first
	Cheapest  []Cheapest  `json:"cheapest"`   // at ColdShare: of each source, in the lab of each kind of package
	BreakEven []BreakEven `json:"break_even"` // where another arm becomes the cheapest, as cold starts grow; none where ends are ties
}

// Cheapest is the arm that costs least and all that cannot be told from it.
type Cheapest struct {
	Source record.Source `json:"source"`
	Among  string        `json:"among,omitempty"`
	Arms   []string      `json:"arms"`
	Told   bool          `json:"told_apart"` // any arm is told to cost more
	Text   string        `json:"text"`

	usd  float64     // of Arms[0]
	next *Comparison // what is told to cost more, next to them; nil: nothing
}

// ArmCost is a line in the share of cold starts: Warm + share * (Cold - Warm).
type ArmCost struct {
	Arm    string        `json:"arm"`
	Source record.Source `json:"source"`
	Cold   float64       `json:"cold_usd_per_million"`
	ColdCI *[2]float64   `json:"cold_usd_ci95"` // rounds resampled
	Warm   float64       `json:"warm_usd_per_million"`
	WarmCI *[2]float64   `json:"warm_usd_ci95"`   // environments resampled; null below 10 of them
	USD    float64       `json:"usd_per_million"` // at ColdShare
	USDCI  *[2]float64   `json:"usd_ci95"`

	// Provisioned concurrency: from this share of the time on that one environment is busy, it costs less than on demand. Null: never, or
	// no prices of it.
	ProvisionedBusy *float64    `json:"provisioned_busy_share"`
	ProvisionedCI   *[2]float64 `json:"provisioned_busy_ci95"`
	ProvisionedRate *float64    `json:"provisioned_per_hour"` // the same, in invocations an hour of one environment
}

// BreakEven is the share of cold starts at which two arms cost the same. Below it Arm is cheaper, above it Than.
type BreakEven struct {
	Arm       string     `json:"arm"`
	Than      string     `json:"than"`
	ColdShare float64    `json:"cold_share"`
	CI        [2]float64 `json:"cold_share_ci95"`
}

// Index is the performance index of language comparisons: the slowest of those compared is 1, twice as fast is 2. Over several handlers it
// is their geometric mean, because a ratio's arithmetic mean depends on which way round it is taken.
type Index struct {
	Arm       string        `json:"arm"` // an arm's id; with @memory where there are several
	Source    record.Source `json:"source"`
	Clock     Clock         `json:"clock"`
	Functions int           `json:"functions"` // handlers averaged
	Index     float64       `json:"performance_index"`
	CI        [2]float64    `json:"performance_index_ci95"`
}

// Outlier is a value far from the rest of its arm: beyond Tukey's outer fences on the log scale. It is in every figure.
type Outlier struct {
	Clock Clock   `json:"clock"`
	Round int     `json:"round,omitempty"`
	Ms    float64 `json:"ms"`
}

// Baseline is a published figure of AWS, to be shown beside measured ones and never mixed with them.
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
	USD              *float64 `json:"usd,omitempty"` // of an invocation, as published
}
