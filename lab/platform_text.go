package lab

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm/counts"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
)

// textLog is START, END and REPORT as Lambda writes them, with tabs between the fields and at the end. See
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html.
type textLog struct{}

func (textLog) start(requestID, version string) string {
	return fmt.Sprintf("START RequestId: %s Version: %s\n", requestID, version)
}

// runtimeVersion stands for Lambda's value: Lambda gives each runtime a new version every few weeks.
const runtimeVersion = ".lab"

func (textLog) initStart(c api.Configuration, _ string) string {
	if c.Runtime == "" {
		return "" // an image does not use Lambda's runtime
	}
	version := strings.Replace(c.Runtime, ".", ":", 1) + runtimeVersion
	return "INIT_START Runtime Version: " + version + "\tRuntime Version ARN: arn:aws:lambda:" + assembly.Region + "::runtime:" + version + "\n"
}

func (textLog) initReport(r initResult, phase string) string {
	if r.failure == nil {
		return ""
	}
	return fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: %s\t%s\n", ms(r.took), phase, textStatus(r.failure))
}

func (textLog) failed(requestID string, f *failure, timeout time.Duration) string {
	switch {
	case f.timeout:
		return timedOut(requestID, time.Now(), timeout) + "\n\n"
	case len(f.body) == 0:
		return fmt.Sprintf("RequestId: %s Error: %s\n%s\n", requestID, f.message, f.kind)
	}
	return ""
}

func (textLog) end(r report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "END RequestId: %s\n", r.requestID)
	fmt.Fprintf(&b, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		r.requestID, ms(r.duration), r.billed(), r.memorySize, r.maxMemory)
	if init := cmp.Or(r.init, r.ahead); init > 0 {
		fmt.Fprintf(&b, "Init Duration: %.2f ms\t", ms(init))
	}
	if r.failure != nil {
		b.WriteString(textStatus(r.failure))
	}
	b.WriteByte('\n')
	return b.String()
}

func (textLog) own(c *counts.Line) string { return "LAB " + c.Text() + "\n" }

// textStatus returns how REPORT and INIT_REPORT show a failure.
func textStatus(f *failure) string {
	if f.timeout {
		return "Status: timeout\t"
	}
	return "Status: error\tError Type: " + f.kind + "\t"
}
