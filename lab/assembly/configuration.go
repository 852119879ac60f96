package assembly

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/twinstart/twinstart/arm"
)

// readFunction reads a function's configuration and finds its package.
func readFunction(logicalID string, r resource, assets assets, scope scope) (f Function, err error) {
	var p properties
	if err := json.Unmarshal(r.Properties, &p); err != nil {
		return f, fmt.Errorf("reading Properties: %w", err)
	}
	f = Function{
		LogicalID: logicalID, PackageType: Zip, Runtime: p.Runtime, Architecture: arm.X8664,
		TimeoutSeconds: cmp.Or(int(p.Timeout), 3), MemorySizeMB: cmp.Or(int(p.MemorySize), arm.DefaultMemorySizeMB),
		EphemeralStorageMB: cmp.Or(int(p.EphemeralStorage.Size), arm.MinTmpMB),
		Environment:        map[string]string{}, OtherLayers: map[string]string{},
		ImageConfig: p.ImageConfig, Ignored: ignored(r.Properties), LogFormat: cmp.Or(p.LoggingConfig.LogFormat, Text),
	}
	if p.ReservedConcurrentExecutions != nil {
		if f.ReservedConcurrency = (*int)(p.ReservedConcurrentExecutions); *f.ReservedConcurrency < 0 {
			return f, fmt.Errorf("ReservedConcurrentExecutions is %d: set 0 or more", *f.ReservedConcurrency)
		}
	}
	if len(p.Architectures) > 0 {
		if f.Architecture, err = arm.ParseArchitecture(p.Architectures[0]); err != nil {
			return f, err
		}
	}
	if f.Handler, err = scope.text(p.Handler); err != nil {
		return f, fmt.Errorf("its Handler: %w", err)
	}
	optional := func(name string, in any) string { // without it the lab uses its default
		value, err := scope.text(in)
		if err != nil {
			f.Ignored = append(f.Ignored, fmt.Sprintf("%s (%v)", name, err))
		}
		return value
	}
	f.Description = optional("Description", p.Description)
	f.PhysicalFunctionName = optional("FunctionName", p.FunctionName)
	f.LogGroup = optional("LoggingConfig.LogGroup", p.LoggingConfig.LogGroup)
	f.Role, _ = scope.text(p.Role) // nothing depends on the role
	if f.LogFormat != Text && f.LogFormat != JSON {
		return f, fmt.Errorf("LoggingConfig.LogFormat %q is neither %s nor %s", f.LogFormat, Text, JSON)
	}
	f.LogGroup = cmp.Or(f.LogGroup, "/aws/lambda/"+f.Name())
	for _, name := range slices.Sorted(maps.Keys(p.Environment.Variables)) {
		if f.Environment[name], err = scope.text(p.Environment.Variables[name]); err != nil {
			delete(f.Environment, name)
			f.Ignored = append(f.Ignored, fmt.Sprintf("environment variable %s (%v)", name, err))
		}
	}
	f.SnapStart = p.SnapStart.ApplyOn == "PublishedVersions"
	switch {
	case !f.SnapStart && p.SnapStart.ApplyOn != "" && p.SnapStart.ApplyOn != "None":
		return f, fmt.Errorf("SnapStart.ApplyOn %q is neither PublishedVersions nor None", p.SnapStart.ApplyOn)
	case f.SnapStart && f.EphemeralStorageMB > arm.MinTmpMB:
		return f, fmt.Errorf("SnapStart needs an EphemeralStorage of 512 MB, but it is %d MB", f.EphemeralStorageMB)
	case f.SnapStart && p.PackageType != Image && !arm.SnapStartZIP(p.Runtime):
		return f, fmt.Errorf("SnapStart does not accept a ZIP on %s: deploy the function as an image", p.Runtime)
	}
	return f, f.readCode(p, assets, scope)
}
