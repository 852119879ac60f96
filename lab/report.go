package lab

import (
	"math"
	"time"

	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/usage"
)

// report has what Lambda reports at the end of an invocation, and what the lab adds.
type report struct {
	requestID  string
	duration   time.Duration
	init       time.Duration // 0 if INIT did not run separately from the invocation
	ahead      time.Duration // INIT of a provisioned environment: not waited for, not billed with this invocation
	memorySize int           // MB
	maxMemory  int           // MB
	failure    *failure      // of the bootstrap; a failure that it reported itself is not here
	reported   *failure
	initRead   *coldfs.Read // cold start: pages read until GET /next
	firstRead  *coldfs.Read // cold start with a response: pages read until then
	initUsed   *usage.Usage // cold start: used until GET /next
	firstUsed  *usage.Usage // cold start: used from there to the first response
	counted    *Counted     // cold start: counts of the package
}

// billed returns the billed duration in whole ms. Since August 2025 INIT is billed for every runtime: INIT and
// duration are added and rounded up once.
func (r report) billed() int64 { return int64(math.Ceil(ms(r.duration) + ms(r.init))) }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
