package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/infra/bashfunction"
	"github.com/twinstart/twinstart/infra/powertuning"
)

// contextVariable is where the CDK CLI hands over its context, as JSON. See https://docs.aws.amazon.com/cdk/v2/guide/context.html.
const contextVariable = "CDK_CONTEXT_JSON"

// headStart builds what the constructs are about to ask for, while jsii loads the CDK in a process of its own: a second of one CPU, in
// which the other would rest. The builder keeps what is built. Errors are left to the constructs, which ask again and know what to
// make of them, and so are contexts that the app will refuse.
func headStart(ctx context.Context, contextJSON string, builder bashfunction.Builder) {
	var given map[string]any
	if json.Unmarshal([]byte(contextJSON), &given) != nil {
		return // not started by the CDK CLI, or with more context than an environment holds
	}
	s, err := readSettings(given)
	if err != nil {
		return
	}
	entry := filepath.Join(handlersDir, s.Handler)
	for _, a := range s.Arms {
		if ctx.Err() != nil {
			return
		}
		if a.Package == arm.ZIP {
			_, _ = builder.ZIP(ctx, a.Bootstrap.Name, s.Architecture, entry)
		} else {
			_, _ = builder.ImageContext(ctx, a.Package, a.Bootstrap.Name, s.Architecture, entry)
		}
	}
}

// stepsProgram is the folder of the program behind the tuning's steps. What was built for this very app stands, for infra/app builds the app
// anew when a source of either has changed: to ask Go each time would make a warm synth a quarter longer.
func stepsProgram(a arm.Architecture) (string, error) {
	link := filepath.Join(buildDir, "tunestep-"+string(a))
	if name, err := os.Executable(); err == nil {
		app, err1 := os.Stat(name)
		built, err2 := os.Lstat(link)
		dir, err3 := filepath.EvalSymlinks(link)
		if err1 == nil && err2 == nil && err3 == nil && built.ModTime().After(app.ModTime()) {
			return dir, nil
		}
	}
	dir, err := powertuning.Build("", string(a))
	if err != nil {
		return "", fmt.Errorf("power tuning: %w", err)
	}
	_ = os.Remove(link)
	_ = os.Symlink(dir, link) // without it the next synth builds again
	return dir, nil
}
