package assembly

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// Fields below have the names of CloudFormation's and the CDK's, which encoding/json finds in any case.

type template struct {
	Metadata   map[string]json.RawMessage
	Resources  map[string]resource
	Parameters map[string]struct{ Default any }
}

type resource struct {
	Type       string
	Properties json.RawMessage
	Metadata   map[string]json.RawMessage
}

// properties are the properties of an AWS::Lambda::Function that this package reads. A property that may be an
// intrinsic function has type any.
type properties struct {
	FunctionName, Description, Role, Handler any
	PackageType                              PackageType
	Runtime                                  string
	Code                                     struct{ S3Key, ImageURI, ZipFile any }
	Timeout, MemorySize                      number
	Architectures                            []string
	SnapStart                                struct{ ApplyOn string }
	EphemeralStorage                         struct{ Size number }
	ReservedConcurrentExecutions             *number
	Environment                              struct{ Variables map[string]any }
	ImageConfig                              ImageConfig
	Layers                                   []any
	LoggingConfig                            struct {
		LogGroup  any
		LogFormat LogFormat
	}
}

// read lists the properties above, and those that make no difference in the lab.
var read = []string{"FunctionName", "Description", "PackageType", "Runtime", "Handler", "Code", "Timeout", "MemorySize", "Architectures", "EphemeralStorage", "SnapStart",
	"ReservedConcurrentExecutions", "Environment", "ImageConfig", "Layers", "LoggingConfig", "Role", "Tags"}

// levels lists the parts of LoggingConfig that filter lines, and the value with which they filter nothing out.
var levels = map[string]string{"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}

// ignored returns the properties that this package does not read.
func ignored(properties json.RawMessage) (names []string) {
	var all map[string]json.RawMessage
	if json.Unmarshal(properties, &all) != nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(read, name) {
			names = append(names, name)
		}
	}
	var logging map[string]any
	if json.Unmarshal(all["LoggingConfig"], &logging) == nil {
		for _, name := range slices.Sorted(maps.Keys(levels)) {
			if level, ok := logging[name]; ok && level != levels[name] {
				names = append(names, "LoggingConfig."+name)
			}
		}
	}
	return names
}

// number is an integer. CloudFormation also accepts it as a string.
type number int

func (n *number) UnmarshalJSON(text []byte) error {
	var i int
	if err := json.Unmarshal([]byte(strings.Trim(string(text), `"`)), &i); err != nil {
		return fmt.Errorf("%s is not a whole number", text)
	}
	*n = number(i)
	return nil
}

func readStack(dir, id string, art artifact) (Stack, error) {
	stack := Stack{Name: id}
	if art.Properties.StackName != "" {
		stack.Name = art.Properties.StackName
	}
	path, err := local(dir, art.Properties.TemplateFile)
	if err != nil {
		return stack, err
	}
	stack.Template = path
	text, err := os.ReadFile(path)
	if err != nil {
		return stack, fmt.Errorf("reading the template of stack %s: %w: %s", stack.Name, err, Remedy)
	}
	var t template
	if err := json.Unmarshal(text, &t); err != nil {
		return stack, fmt.Errorf("reading the template %s: %w: %s", path, err, Remedy)
	}
	if raw, ok := t.Metadata[arm.MetadataKey]; ok {
		var own struct {
			NotMeasured []arm.NotMeasured `json:"notMeasured"`
		}
		if err := json.Unmarshal(raw, &own); err != nil {
			return stack, fmt.Errorf("reading Metadata %q of %s: %w", arm.MetadataKey, path, err)
		}
		stack.NotMeasured = own.NotMeasured
	}
	assets, err := readAssets(dir, id)
	if err != nil {
		return stack, err
	}
	scope := scope{stack: stack.Name, resources: t.Resources, parameters: map[string]any{}}
	for name, parameter := range t.Parameters {
		scope.parameters[name] = parameter.Default
	}
	for _, logicalID := range slices.Sorted(maps.Keys(t.Resources)) {
		r := t.Resources[logicalID]
		if isTable(r) {
			stack.Tables = append(stack.Tables, scope.readTable(logicalID, r, assets))
		}
		if r.Type != "AWS::Lambda::Function" {
			continue
		}
		identity, err := readIdentity(logicalID, r, art)
		if err != nil {
			return stack, fmt.Errorf("reading function %s of %s: %w", logicalID, filepath.Base(path), err)
		}
		if identity.Helper {
			continue
		}
		function, err := readFunction(logicalID, r, assets, scope)
		if err != nil { // the other functions can still be measured
			stack.NotMeasured = append(stack.NotMeasured, arm.NotMeasured{Arm: identity.Arm, Why: err.Error()})
			continue
		}
		for _, v := range identity.Variants {
			for _, layer := range v.Set.Layers {
				path, err := scope.layer(map[string]any{"Ref": layer}, assets)
				if err != nil {
					return stack, fmt.Errorf("reading function %s of %s: %s=%s: layer %w", logicalID, filepath.Base(stack.Template), v.Lever, v.Level, err)
				}
				if function.OtherLayers == nil {
					function.OtherLayers = map[string]string{}
				}
				function.OtherLayers[layer] = path
			}
		}
		function.identify(identity.Identity, stack.Name)
		stack.Functions = append(stack.Functions, function)
	}
	return stack, nil
}

// metadata is a function's entry arm.MetadataKey.
type metadata struct {
	arm.Identity
	Helper bool `json:"helper"` // not an arm, but a function that serves the arms
}

// readIdentity returns the identity in the resource's Metadata. Without one, the arm is named after the construct's
// path in the stack, or else after the resource.
func readIdentity(logicalID string, r resource, art artifact) (m metadata, err error) {
	if raw, ok := r.Metadata[arm.MetadataKey]; ok {
		if err := json.Unmarshal(raw, &m); err != nil {
			return m, fmt.Errorf("reading Metadata %q: %w", arm.MetadataKey, err)
		}
		if m.Arm == "" && !m.Helper {
			return m, fmt.Errorf("reading Metadata %q: it names no arm", arm.MetadataKey)
		}
		return m, nil
	}
	var path string
	if m.Arm = logicalID; json.Unmarshal(r.Metadata["aws:cdk:path"], &path) == nil && path != "" {
		below, ok := strings.CutPrefix(path, art.DisplayName+"/")
		if !ok {
			_, below, _ = strings.Cut(path, "/")
		}
		m.Arm = cmp.Or(strings.TrimSuffix(below, "/Resource"), logicalID)
	}
	return m, nil
}

// identify fills fields of the identity that are empty from the function's properties.
func (f *Function) identify(id arm.Identity, stack string) {
	kind := arm.ZIP
	if f.PackageType == Image {
		kind = arm.Image
	}
	id.Experiment, id.Package, id.Architecture = cmp.Or(id.Experiment, stack), cmp.Or(id.Package, kind), cmp.Or(id.Architecture, f.Architecture)
	id.MemorySizeMB = cmp.Or(id.MemorySizeMB, f.MemorySizeMB)
	f.Identity = id
}

func readFunction(logicalID string, r resource, assets assets, scope scope) (f Function, err error) {
	var p properties
	if err := json.Unmarshal(r.Properties, &p); err != nil {
		return f, fmt.Errorf("reading Properties: %w", err)
	}
	f = Function{
		LogicalID: logicalID, PackageType: Zip, Runtime: p.Runtime,
		TimeoutSeconds: cmp.Or(int(p.Timeout), 3), MemorySizeMB: cmp.Or(int(p.MemorySize), 128), EphemeralStorageMB: cmp.Or(int(p.EphemeralStorage.Size), 512),
		Architecture: arm.X8664, Environment: map[string]string{},
		ImageConfig: p.ImageConfig, Ignored: ignored(r.Properties),
	}
	if p.ReservedConcurrentExecutions != nil {
		if f.ReservedConcurrency = (*int)(p.ReservedConcurrentExecutions); *f.ReservedConcurrency < 0 {
			return f, fmt.Errorf("ReservedConcurrentExecutions is %d: 0 or more", *f.ReservedConcurrency)
		}
	}
	if len(p.Architectures) > 0 {
		if f.Architecture, err = arm.ParseArchitecture(p.Architectures[0]); err != nil {
			return f, err
		}
	}
	for _, field := range []struct {
		name string
		in   any
		out  *string
	}{{"Handler", p.Handler, &f.Handler}, {"Description", p.Description, &f.Description},
		{"FunctionName", p.FunctionName, &f.PhysicalFunctionName}, {"LoggingConfig.LogGroup", p.LoggingConfig.LogGroup, &f.LogGroup}} {
		if *field.out, err = scope.text(field.in); err != nil {
			if field.name == "Handler" {
				return f, fmt.Errorf("%s: %w", field.name, err)
			}
			f.Ignored = append(f.Ignored, fmt.Sprintf("%s (%v)", field.name, err)) // the lab uses its own name instead
		}
	}
	f.Role, _ = scope.text(p.Role) // nothing depends on the role
	switch f.LogFormat = p.LoggingConfig.LogFormat; f.LogFormat {
	case "":
		f.LogFormat = Text
	case Text, JSON:
	default:
		return f, fmt.Errorf("LoggingConfig.LogFormat %q is neither %s nor %s", f.LogFormat, Text, JSON)
	}
	if f.LogGroup == "" {
		f.LogGroup = "/aws/lambda/" + f.Name()
	}
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
		return f, fmt.Errorf("SnapStart wants an EphemeralStorage of 512 MB, and it is %d MB", f.EphemeralStorageMB)
	case f.SnapStart && p.PackageType != Image && !arm.SnapStartZIP(p.Runtime):
		return f, fmt.Errorf("SnapStart takes no ZIP on %s: deploy the function as an image", p.Runtime)
	}
	if p.PackageType == Image {
		f.PackageType = Image
		uri, err := scope.text(p.Code.ImageURI)
		if err != nil {
			return f, fmt.Errorf("Code.ImageUri: %w", err)
		}
		f.Package, f.Dockerfile, f.PackageSizeBytes, err = assets.image(uri[strings.LastIndexByte(uri, ':')+1:])
		return f, err
	}
	if p.Code.ZipFile != nil {
		return f, errors.New("its code is inside the template (ZipFile): make it an asset")
	}
	code, err := scope.text(p.Code.S3Key)
	if err != nil {
		return f, fmt.Errorf("Code.S3Key: %w", err)
	}
	if f.Package, f.PackageSizeBytes, err = assets.file(code); err != nil {
		return f, err
	}
	for _, layer := range p.Layers {
		if path, err := scope.layer(layer, assets); err == nil {
			f.Layers = append(f.Layers, path)
		} else {
			f.Ignored = append(f.Ignored, fmt.Sprintf("Layers (%v)", err))
		}
	}
	return f, nil
}

// layer finds the content of a layer that is in the same stack.
func (s scope) layer(of any, assets assets) (path string, err error) {
	name, err := s.text(of)
	if err != nil {
		return "", err
	}
	var p struct{ Content struct{ S3Key any } }
	if r := s.resources[name]; r.Type != "AWS::Lambda::LayerVersion" || json.Unmarshal(r.Properties, &p) != nil {
		return "", fmt.Errorf("%s is not in the assembly", name)
	}
	key, err := s.text(p.Content.S3Key)
	if err == nil {
		path, _, err = assets.file(key)
	}
	return path, err
}
