//go:build linux

package perevent

import (
	"strings"

	"github.com/twinstart/twinstart/runtime/runtimeapi"
)

// inherited returns the part of the environment that is the same for every event.
func inherited(environ []string) []string {
	kept := make([]string, 0, len(environ)+10)
	for _, entry := range environ {
		if name, _, _ := strings.Cut(entry, "="); !runtimeapi.Contextual(name) {
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
	for i, field := range runtimeapi.Fields {
		set(field.Variable, inv.Context[i])
	}
	set(runtimeapi.TraceVariable, inv.Context[runtimeapi.TraceID])
	return base
}
