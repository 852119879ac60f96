// Package price computes the cost of an invocation on AWS.
//
// cost = billed ms rounded up to whole ms / 1000 * memory in GB * price of a GB-second + price of a request. INIT is
// billed for every function since 2025-08-01, so a cold start's billed ms hold it.
// https://aws.amazon.com/lambda/pricing/
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

// DefaultRegion is the region of prices if none is named, as in the lab.
const DefaultRegion = "us-east-1"

// The currencies of prices, as ISO 4217 codes.
const (
	USD = "USD"
	CNY = "CNY" // of cn-*
)

// Table holds list prices by region. A missing region or architecture has no price; nothing is guessed.
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

	// Transition is the price of a state transition of a standard Step Functions workflow; 0 if unknown.
	Transition float64 `json:"transition,omitempty"`

	// SnapStart costs for the GB of each version for as long as it is there, at least MinCache, and for the GB of each
	// restore. Java's managed runtimes are free of it.
	SnapStartCache   float64 `json:"snapstart_cache_gb_second,omitempty"`
	SnapStartRestore float64 `json:"snapstart_restore_gb,omitempty"`

	// Provisioned concurrency costs Provisioned for as long as it is configured, and ProvisionedDuration for what
	// runs on it.
	Provisioned         map[arm.Architecture]float64 `json:"provisioned_gb_second,omitempty"`
	ProvisionedDuration map[arm.Architecture]float64 `json:"provisioned_duration_gb_second,omitempty"`
}

//go:embed prices.json
var prices []byte

// Default returns the built-in table.
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

// Rate holds the prices of one architecture in one region.
type Rate struct {
	Region, AsOf      string // of the list
	Currency          string
	GBSecond, Request float64
	Transition        float64 // 0 if unknown

	Provisioned, ProvisionedDuration float64 // per GB-second; 0 if unknown
	SnapStartCache, SnapStartRestore float64 // a GB-second, a GB; 0: not known
}

// MinCache is how long a version's snapshot is billed at the least, in seconds.
const MinCache = 3 * 3600

// Rate returns the prices of an architecture in a region; "" means DefaultRegion. ok is false if the table has none.
func (t *Table) Rate(region string, a arm.Architecture) (rate Rate, ok bool) {
	region = cmp.Or(region, DefaultRegion)
	r := t.Regions[region]
	p, ok := r.GBSecond[a]
	return Rate{Region: region, AsOf: cmp.Or(r.AsOf, t.AsOf), Currency: cmp.Or(r.Currency, USD), GBSecond: p, Request: r.Request, Transition: r.Transition,
		Provisioned: r.Provisioned[a], ProvisionedDuration: r.ProvisionedDuration[a], SnapStartCache: r.SnapStartCache, SnapStartRestore: r.SnapStartRestore}, ok
}

// Load reads a table from a file in the form of prices.json, which replaces the built-in one as a whole. "" is the
// built-in one.
func Load(path string) (*Table, error) {
	if path == "" {
		return Default(), nil
	}
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

// Invocation returns the cost of one invocation in the rate's currency.
func (r Rate) Invocation(memorySizeMB int, billedMs float64) float64 {
	return math.Ceil(billedMs)/1000*float64(memorySizeMB)/1024*r.GBSecond + r.Request
}

// Restored is the cost of the first invocation after a restore, caching apart: what Lambda billed of the two, and the
// restore by the GB.
func (r Rate) Restored(memorySizeMB int, billedMs, billedRestoreMs float64) float64 {
	return r.Invocation(memorySizeMB, math.Ceil(billedMs)+math.Ceil(billedRestoreMs)) + float64(memorySizeMB)/1024*r.SnapStartRestore
}

// Cached is the cost of keeping a version's snapshot for so many seconds.
func (r Rate) Cached(memorySizeMB int, seconds float64) float64 {
	return float64(memorySizeMB) / 1024 * math.Max(seconds, MinCache) * r.SnapStartCache
}

// BilledColdMs returns the billed time of a cold start: INIT and the invocation together, rounded up once. A REPORT
// with a lower bill is from before INIT was billed for every function.
func BilledColdMs(billedMs, initMs, durationMs float64) float64 {
	return math.Max(billedMs, math.Ceil(initMs+durationMs))
}
