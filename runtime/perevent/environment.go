//go:build linux

package perevent

import (
	"strings"

	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

// contextual reports whether the bootstrap sets a variable itself for each event, so that handlers must not inherit
// it.
func contextual(name string) bool {
	switch name {
	case "HOME", "_X_AMZN_TRACE_ID",
		"LAMBDA_RUNTIME_AWS_REQUEST_ID", "LAMBDA_RUNTIME_DEADLINE_MS", "LAMBDA_RUNTIME_INVOKED_FUNCTION_ARN",
		"LAMBDA_RUNTIME_TRACE_ID", "LAMBDA_RUNTIME_CLIENT_CONTEXT", "LAMBDA_RUNTIME_COGNITO_IDENTITY",
		"LAMBDA_RUNTIME_AWS_TENANT_ID":
		return true
	}
	return false
}

// inherited returns the part of the environment that is the same for every event.
func inherited(environ []string) []string {
	kept := make([]string, 0, len(environ)+10)
	for _, entry := range environ {
		if name, _, _ := strings.Cut(entry, "="); !contextual(name) {
			kept = append(kept, entry)
		}
	}
	return append(kept, "HOME=/tmp") // the only writable folder; tools that keep a cache in $HOME need one
}

// environment appends the context of one invocation. It does not set a variable that the API sent no value for.
func environment(base []string, inv *runtimeapi.Invocation) []string {
	set := func(name, value string) {
		if value != "" {
			base = append(base, name+"="+value)
		}
	}
	set("LAMBDA_RUNTIME_AWS_REQUEST_ID", inv.RequestID)
	set("LAMBDA_RUNTIME_DEADLINE_MS", inv.DeadlineMS)
	set("LAMBDA_RUNTIME_INVOKED_FUNCTION_ARN", inv.FunctionARN)
	set("LAMBDA_RUNTIME_TRACE_ID", inv.TraceID)
	set("_X_AMZN_TRACE_ID", inv.TraceID)
	set("LAMBDA_RUNTIME_CLIENT_CONTEXT", inv.ClientContext)
	set("LAMBDA_RUNTIME_COGNITO_IDENTITY", inv.CognitoIdentity)
	set("LAMBDA_RUNTIME_AWS_TENANT_ID", inv.TenantID)
	return base
}
