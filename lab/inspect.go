package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/handlers/inspect"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/root"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/runtime/bashtcp"
)

// Inspect returns what a function finds in a lab with these options. It runs handlers/inspect once, with a bootstrap
// that needs no compiler, and ignores options.Functions.
func Inspect(options Options) (_ root.Listing, err error) {
	work, err := Temporary()
	if err != nil {
		return nil, fmt.Errorf("inspecting the lab: %w", err)
	}
	defer os.RemoveAll(work)
	files := bashtcp.Files()
	files["handler.sh"] = string(inspect.Handler)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o755); err != nil {
			return nil, fmt.Errorf("inspecting the lab: %w", err)
		}
	}
	options.Functions = []assembly.Function{{LogicalID: "inspect", PackageType: assembly.Zip, Runtime: "provided.al2023",
		Handler: "handler.run", Package: work, TimeoutSeconds: 60, MemorySizeMB: 1024, EphemeralStorageMB: arm.MinTmpMB,
		Architecture: arm.Host(), LogGroup: "/aws/lambda/inspect", LogFormat: assembly.Text}}
	l, err := New(options)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	l.functions["inspect"].uid = sandbox.UID // the user on Lambda
	result, err := l.Invoke("inspect", api.Invocation{Payload: []byte("{}")})
	if err != nil {
		return nil, fmt.Errorf("inspecting the lab: %w", err)
	}
	if result.FunctionError != "" {
		return nil, fmt.Errorf("inspecting the lab: handlers/inspect failed: %s", result.Payload)
	}
	return root.Parse(result.Payload)
}
