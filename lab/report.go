package lab

import (
	"math"
	"time"

	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/usage"
)

// report is what Lambda says of an invocation at its end, and what the lab adds.
type report struct {
	requestID  string
	duration   time.Duration
	init       time.Duration // 0 where INIT was not apart from the invocation
	ahead      time.Duration // INIT that nobody waited for, and nobody pays with this invocation
	memorySize int           // MB
	maxMemory  int           // MB
	failure    *failure      // of the bootstrap: one that it reported itself is in reported
	reported   *failure
	initRead   *coldfs.Read // of a cold start
	firstRead  *coldfs.Read // of a cold start with a response
	initUsed   *usage.Usage // of a cold start, to GET /next
	firstUsed  *usage.Usage // from there to the first response
	counted    *Counted     // of a cold start
}

// billed is in whole milliseconds. Since August 2025 INIT is billed whatever the runtime: one sum, rounded up once.
func (r report) billed() int64 { return int64(math.Ceil(ms(r.duration) + ms(r.init))) }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
