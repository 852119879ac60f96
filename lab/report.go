package lab

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/twinstart/twinstart/lab/coldfs"
)

// report is what a REPORT line says, and the lab's own line after it.
type report struct {
	requestID  string
	duration   time.Duration
	init       time.Duration // 0 where INIT was not apart from the invocation
	memorySize int           // MB
	maxMemory  int           // MB
	failure    *failure
	initRead   *coldfs.Read // of a cold start
	firstRead  *coldfs.Read // of a cold start with a response
}

// lines are REPORT as Lambda writes it, with tabs and the tab at the end, and, for a cold start, the lab's own line in the same syntax.
// See https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html.
func (r report) lines() string {
	var b strings.Builder
	// Since August 2025 INIT is billed whatever the runtime: one sum, rounded up once.
	billed := int64(math.Ceil(ms(r.duration) + ms(r.init)))
	fmt.Fprintf(&b, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		r.requestID, ms(r.duration), billed, r.memorySize, r.maxMemory)
	if r.init > 0 {
		fmt.Fprintf(&b, "Init Duration: %.2f ms\t", ms(r.init))
	}
	if r.failure != nil {
		b.WriteString(r.failure.status())
	}
	if r.initRead != nil {
		fmt.Fprintf(&b, "\nLAB RequestId: %s\tInit Read: %d KiB\tInit Read Chunks: %d", r.requestID, r.initRead.KiB, r.initRead.Chunks)
		if r.firstRead != nil {
			fmt.Fprintf(&b, "\tFirst Response Read: %d KiB", r.firstRead.KiB)
		}
	}
	return b.String()
}

// initReport is the line about an INIT that failed. phase is "init", or "invoke" where it ran as part of an invocation.
func initReport(r initResult, phase string) string {
	return fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: %s\t%s", ms(r.took), phase, r.failure.status())
}

// status is how REPORT and INIT_REPORT tell a failure.
func (f *failure) status() string {
	if f.timeout {
		return "Status: timeout\t"
	}
	return "Status: error\tError Type: " + f.kind + "\t"
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
