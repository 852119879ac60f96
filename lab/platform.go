package lab

import (
	"time"

	"github.com/twinstart/twinstart/arm/counts"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
)

// platform puts what Lambda itself says about an invocation into lines of the function's log format; "" for nothing.
type platform interface {
	start(requestID, version string) string
	initStart(c api.Configuration, phase string) string
	// initReport is about an INIT that failed, or that nobody waited for. phase is "init", or "invoke" where it ran as part of an invocation.
	initReport(r initResult, phase string) string
	// failed is about a bootstrap that did not answer.
	failed(requestID string, f *failure, timeout time.Duration) string
	end(r report) string
	// own is the lab's own line about a cold start.
	own(c *counts.Line) string
}

func (e *environment) platform() platform {
	if e.config.LogFormat == string(assembly.JSON) {
		return jsonLog{}
	}
	return textLog{}
}
