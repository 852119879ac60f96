// Package price computes the cost of an invocation on AWS from list prices, in USD or, in cn-*, in CNY.
//
// cost = billed ms rounded up to whole ms / 1000 * memory in GB * price of a GB-second + price of a request. Since
// 2025-08-01 INIT is billed for every function, so a cold start's billed ms include it. See
// https://aws.amazon.com/lambda/pricing/.
package price

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/twinstart/twinstart/arm"
)

// DefaultRegion is the region whose prices count if no region is named, as in the lab.
const DefaultRegion = "us-east-1"

// USD is the currency of all regions but cn-*, which have CNY. Currencies have their ISO 4217 codes.
const USD = "USD"

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
	Flat

	// Provisioned concurrency costs Provisioned while it is configured, and ProvisionedDuration for what runs on it.
	Provisioned         map[arm.Architecture]float64 `json:"provisioned_gb_second,omitempty"`
	ProvisionedDuration map[arm.Architecture]float64 `json:"provisioned_duration_gb_second,omitempty"`
}

// Flat holds the prices that are the same for all architectures. A price is 0 if unknown.
type Flat struct {
	Request    float64 `json:"request"`
	Transition float64 `json:"transition,omitempty"` // a state transition of a standard Step Functions workflow

	// SnapStart costs for the GB of a version while the version exists, at least for MinCache, and for the GB of each
	// restore. For Java's managed runtimes it is free.
	SnapStartCache   float64 `json:"snapstart_cache_gb_second,omitempty"`
	SnapStartRestore float64 `json:"snapstart_restore_gb,omitempty"`
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
		return nil, errors.New("reading prices: they have no regions; want " +
			`{"as_of": "DATE", "regions": {"eu-west-1": {"gb_second": {"arm64": ...}, "request": ...}}}`)
	}
	for name, r := range t.Regions {
		if cmp.Or(r.AsOf, t.AsOf) == "" {
			return nil, fmt.Errorf("reading prices: %s has no as_of: add the date of its list", name)
		}
		if !(r.SnapStartCache >= 0) || !(r.SnapStartRestore >= 0) {
			return nil, fmt.Errorf("reading prices: %s: a price of SnapStart is not a price: want a number >= 0", name)
		}
		for _, prices := range []map[arm.Architecture]float64{r.GBSecond, r.Provisioned, r.ProvisionedDuration} {
			for a, p := range prices {
				if !(p > 0) || !(r.Request >= 0) {
					return nil, fmt.Errorf("reading prices: %s %s is not a price: want a number above 0", name, a)
				}
			}
		}
	}
	return &t, nil
}

// Load reads a table from a file in the form of prices.json. It replaces the built-in table as a whole. "" means the
// built-in table.
func Load(path string) (t *Table, err error) {
	data := prices
	if path != "" {
		if data, err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("reading prices: %w", err)
		}
	}
	if t, err = Parse(data); err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return t, err
}
