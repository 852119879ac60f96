package price

import (
	"cmp"
	_ "embed"
	"math"

	"github.com/twinstart/twinstart/arm"
)

// Rate holds the prices of one architecture in one region.
type Rate struct {
	Region, AsOf, Currency string // AsOf is the date of the list
	Flat
	GBSecond, Provisioned, ProvisionedDuration float64 // a GB-second each; 0 if unknown
}

// MinCache is the least time for which a version's snapshot is billed, in seconds.
const MinCache = 3 * 3600

// Rate returns the prices of an architecture in a region; "" means DefaultRegion. ok is false if the table has none.
func (t *Table) Rate(region string, a arm.Architecture) (rate Rate, ok bool) {
	region = cmp.Or(region, DefaultRegion)
	r := t.Regions[region]
	p, ok := r.GBSecond[a]
	return Rate{Region: region, AsOf: cmp.Or(r.AsOf, t.AsOf), Currency: cmp.Or(r.Currency, USD), Flat: r.Flat,
		GBSecond: p, Provisioned: r.Provisioned[a], ProvisionedDuration: r.ProvisionedDuration[a]}, ok
}

// Invocation returns the cost of one invocation in the rate's currency.
func (r Rate) Invocation(memorySizeMB int, billedMs float64) float64 {
	return math.Ceil(billedMs)/1000*float64(memorySizeMB)/1024*r.GBSecond + r.Request
}

// Restored returns the cost of a restore and of its first invocation, without caching. Lambda bills the time of both,
// and the restore by the GB.
func (r Rate) Restored(memorySizeMB int, billedMs, billedRestoreMs float64) float64 {
	gb := float64(memorySizeMB) / 1024
	return r.Invocation(memorySizeMB, math.Ceil(billedMs)+math.Ceil(billedRestoreMs)) + gb*r.SnapStartRestore
}

// Cached returns the cost of keeping a version's snapshot for a number of seconds.
func (r Rate) Cached(memorySizeMB int, seconds float64) float64 {
	return float64(memorySizeMB) / 1024 * math.Max(seconds, MinCache) * r.SnapStartCache
}

// BilledColdMs returns the billed time of a cold start: INIT and the invocation together, rounded up once. A REPORT
// bills less only if it is older than the billing of INIT.
func BilledColdMs(billedMs, initMs, durationMs float64) float64 {
	return math.Max(billedMs, math.Ceil(initMs+durationMs))
}
