package lab

import (
	"time"

	"github.com/twinstart/twinstart/arm/counts"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
)

// platform formats Lambda's own lines about an invocation in the function's log format. "" means that there is no
// line.
type platform interface {
	start(requestID, version string) string
	initStart(c api.Configuration, phase string) string
	// initReport formats the line about an INIT that failed or that ran ahead. phase is "init", or "invoke" if INIT
	// ran as part of an invocation.
	initReport(r initResult, phase string) string
	// failed formats the line about a bootstrap that did not answer.
	failed(requestID string, f *failure, timeout time.Duration) string
	end(r report) string
	// own formats the lab's own line about a cold start.
	own(c *counts.Line) string
}

func (e *environment) platform() platform {
	if e.config.LogFormat == string(assembly.JSON) {
		return jsonLog{}
	}
	return textLog{}
}
