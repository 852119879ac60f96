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
	R2           float64     `json:"r2"`    // share of the logs' variance that is between cells
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
	Share float64 `json:"share"` // of the logs' variance

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
	Told             bool       `json:"told_apart"` // by Holm over the factor's effects; only if the primary claim tells
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
