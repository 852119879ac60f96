// Package price says what an invocation costs on AWS.
//
// cost = billed ms rounded up to whole ms / 1000 * memory in GB * price of a GB-second + price of a request. INIT is billed for
// every function since 2025-08-01, so a cold start's billed ms hold it. https://aws.amazon.com/lambda/pricing/
package price

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"

	"github.com/twinstart/twinstart/runtime/arm"
)

// DefaultRegion is the one whose prices stand in where a region's own are not known.
const DefaultRegion = "us-east-1"

// Table is list prices by region, in USD.
type Table struct {
	AsOf    string            `json:"as_of"` // date of the list
	Note    string            `json:"note,omitempty"`
	Regions map[string]Region `json:"regions"`
}

// Region is one region's prices in USD.
type Region struct {
	GBSecond map[arm.Architecture]float64 `json:"gb_second"`
	Request  float64                      `json:"request"`
}

//go:embed prices.json
var prices []byte

// Default is the built-in table.
func Default() *Table {
	t, err := Parse(prices)
	if err != nil {
		panic(err) // the file is part of the program and tested
	}
	return t
}

// Parse reads a table in the form of prices.json.
func Parse(data []byte) (*Table, error) {
	var t Table
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, fmt.Errorf("reading prices: %w", err)
	}
	if len(t.Regions[DefaultRegion].GBSecond) == 0 {
		return nil, fmt.Errorf("reading prices: they lack %s, which stands in for regions without prices of their own", DefaultRegion)
	}
	for name, r := range t.Regions {
		for a, p := range r.GBSecond {
			if !(p > 0) || !(r.Request >= 0) {
				return nil, fmt.Errorf("reading prices: %s %s is not a price", name, a)
			}
		}
	}
	return &t, nil
}

// Rate is what billing multiplies with.
type Rate struct {
	Region            string // whose prices these are
	GBSecond, Request float64
}

// Rate is the price of an architecture in a region. Where the table lacks the region it is that of DefaultRegion, which
// Rate.Region then says; ok is false where it knows the architecture nowhere.
func (t *Table) Rate(region string, a arm.Architecture) (r Rate, ok bool) {
	for _, name := range []string{region, DefaultRegion} {
		if p, ok := t.Regions[name].GBSecond[a]; ok {
			return Rate{Region: name, GBSecond: p, Request: t.Regions[name].Request}, true
		}
	}
	return Rate{}, false
}

// Invocation is the cost of one invocation in USD.
func (r Rate) Invocation(memorySizeMB int, billedMs float64) float64 {
	return math.Ceil(billedMs)/1000*float64(memorySizeMB)/1024*r.GBSecond + r.Request
}

// BilledColdMs is what a cold start is billed for: INIT and the invocation together, rounded up once. Where a REPORT bills
// less, it is from before INIT was billed for every function.
func BilledColdMs(billedMs, initMs, durationMs float64) float64 {
	return math.Max(billedMs, math.Ceil(initMs+durationMs))
}
