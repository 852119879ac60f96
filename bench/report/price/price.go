// Package price says what an invocation costs on AWS.
//
// cost = billed ms rounded up to whole ms / 1000 * memory in GB * price of a GB-second + price of a request. INIT is billed for
// every function since 2025-08-01, so a cold start's billed ms hold it. https://aws.amazon.com/lambda/pricing/
package price

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/twinstart/twinstart/arm"
)

// DefaultRegion gives the prices if no region is named, as in the lab.
const DefaultRegion = "us-east-1"

// The currencies of prices, by their codes in ISO 4217.
const (
	USD = "USD"
	CNY = "CNY" // of cn-*
)

// Table is list prices by region. A region, or an architecture there, that it lacks has no price: none is guessed.
type Table struct {
	AsOf    string            `json:"as_of"` // date of the list
	Note    string            `json:"note,omitempty"`
	Regions map[string]Region `json:"regions"`
}

// Region is one region's prices.
type Region struct {
	AsOf     string                       `json:"as_of,omitempty"`    // if it differs from the table's
	Currency string                       `json:"currency,omitempty"` // "" is USD
	GBSecond map[arm.Architecture]float64 `json:"gb_second"`
	Request  float64                      `json:"request"`

	// Transition is a state transition of a standard workflow of Step Functions; 0: not known.
	Transition float64 `json:"transition,omitempty"`

	// SnapStart costs for the GB of each version for as long as it is there, at least MinCache, and for the GB of each restore. Java's managed
	// runtimes are free of it.
	SnapStartCache   float64 `json:"snapstart_cache_gb_second,omitempty"`
	SnapStartRestore float64 `json:"snapstart_restore_gb,omitempty"`

	// Provisioned concurrency costs for as long as it is configured, and less than GBSecond for what runs on it.
	Provisioned         map[arm.Architecture]float64 `json:"provisioned_gb_second,omitempty"`
	ProvisionedDuration map[arm.Architecture]float64 `json:"provisioned_duration_gb_second,omitempty"`
}

//go:embed prices.json
var prices []byte

// Default is the built-in table.
func Default() *Table {
	t, err := Parse(prices)
	if err != nil {
		panic(err) // the file is part of the program, and a test reads it
	}
	return t
}

// Parse reads a table in the form of prices.json.
func Parse(data []byte) (*Table, error) {
	var t Table
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, fmt.Errorf("reading prices: %w", err)
	}
	if len(t.Regions) == 0 {
		return nil, errors.New(`reading prices: they have no regions: {"as_of": "DATE", "regions": {"eu-west-1": {"gb_second": {"arm64": ...}, "request": ...}}}`)
	}
	for name, r := range t.Regions {
		if cmp.Or(r.AsOf, t.AsOf) == "" {
			return nil, fmt.Errorf("reading prices: those of %s have no as_of, the date of their list", name)
		}
		for _, prices := range []map[arm.Architecture]float64{r.GBSecond, r.Provisioned, r.ProvisionedDuration} {
			if !(r.SnapStartCache >= 0) || !(r.SnapStartRestore >= 0) {
				return nil, fmt.Errorf("reading prices: %s: SnapStart's are not prices", name)
			}
			for a, p := range prices {
				if !(p > 0) || !(r.Request >= 0) {
					return nil, fmt.Errorf("reading prices: %s %s is not a price", name, a)
				}
			}
		}
	}
	return &t, nil
}

// Rate is what billing multiplies with.
type Rate struct {
	Region, AsOf      string // of the list
	Currency          string
	GBSecond, Request float64
	Transition        float64 // 0: not known

	Provisioned, ProvisionedDuration float64 // a GB-second; 0: not known
	SnapStartCache, SnapStartRestore float64 // a GB-second, a GB; 0: not known
}

// MinCache is how long a version's snapshot is billed at the least, in seconds.
const MinCache = 3 * 3600

// Rate is the price of an architecture in a region, "" for DefaultRegion; ok is false where the table has none.
func (t *Table) Rate(region string, a arm.Architecture) (rate Rate, ok bool) {
	region = cmp.Or(region, DefaultRegion)
	r := t.Regions[region]
	p, ok := r.GBSecond[a]
	return Rate{Region: region, AsOf: cmp.Or(r.AsOf, t.AsOf), Currency: cmp.Or(r.Currency, USD), GBSecond: p, Request: r.Request, Transition: r.Transition,
		Provisioned: r.Provisioned[a], ProvisionedDuration: r.ProvisionedDuration[a], SnapStartCache: r.SnapStartCache, SnapStartRestore: r.SnapStartRestore}, ok
}

// Load reads a table from a file in the form of prices.json; what it says replaces the built-in table as a whole.
func Load(path string) (*Table, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading prices: %w", err)
	}
	t, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// BreakEven is from how many invocations an hour on one provisioned environment costs less than on demand costs. onDemand and
// provisioned are USD an invocation. ok is false where it never does, or prices of it are not known.
func (r Rate) BreakEven(memorySizeMB int, onDemand, provisioned float64) (perHour float64, ok bool) {
	if r.Provisioned == 0 || r.ProvisionedDuration == 0 || onDemand <= provisioned {
		return 0, false
	}
	return 3600 * float64(memorySizeMB) / 1024 * r.Provisioned / (onDemand - provisioned), true
}

// Invocation is the cost of one invocation in the rate's currency.
func (r Rate) Invocation(memorySizeMB int, billedMs float64) float64 {
	return math.Ceil(billedMs)/1000*float64(memorySizeMB)/1024*r.GBSecond + r.Request
}

// Restored is the cost of the first invocation after a restore, caching apart: what Lambda billed of the two, and the restore by the GB.
func (r Rate) Restored(memorySizeMB int, billedMs, billedRestoreMs float64) float64 {
	return r.Invocation(memorySizeMB, math.Ceil(billedMs)+math.Ceil(billedRestoreMs)) + float64(memorySizeMB)/1024*r.SnapStartRestore
}

// Cached is the cost of keeping a version's snapshot for so many seconds.
func (r Rate) Cached(memorySizeMB int, seconds float64) float64 {
	return float64(memorySizeMB) / 1024 * math.Max(seconds, MinCache) * r.SnapStartCache
}

// BilledColdMs is what a cold start is billed for: INIT and the invocation together, rounded up once. Where a REPORT bills
// less, it is from before INIT was billed for every function.
func BilledColdMs(billedMs, initMs, durationMs float64) float64 {
	return math.Max(billedMs, math.Ceil(initMs+durationMs))
}
