package assembly

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

type template struct {
	Metadata  map[string]json.RawMessage `json:"Metadata"`
	Resources map[string]resource        `json:"Resources"`
}

type resource struct {
	Type       string                     `json:"Type"`
	Properties json.RawMessage            `json:"Properties"`
	Metadata   map[string]json.RawMessage `json:"Metadata"`
}

// properties are those of an AWS::Lambda::Function that matter here; `any` where an intrinsic function may stand.
type properties struct {
	FunctionName any    `json:"FunctionName"`
	Description  any    `json:"Description"`
	PackageType  string `json:"PackageType"`
	Runtime      string `json:"Runtime"`
	Handler      any    `json:"Handler"`
	Code         struct {
		S3Key    any `json:"S3Key"`
		ImageURI any `json:"ImageUri"`
	} `json:"Code"`
	Timeout          number   `json:"Timeout"`
	MemorySize       number   `json:"MemorySize"`
	Architectures    []string `json:"Architectures"`
	EphemeralStorage struct {
		Size number `json:"Size"`
	} `json:"EphemeralStorage"`
	ReservedConcurrentExecutions *number `json:"ReservedConcurrentExecutions"`
	Environment                  struct {
		Variables map[string]any `json:"Variables"`
	} `json:"Environment"`
	ImageConfig struct {
		Command          []string `json:"Command"`
		EntryPoint       []string `json:"EntryPoint"`
		WorkingDirectory string   `json:"WorkingDirectory"`
	} `json:"ImageConfig"`
	LoggingConfig struct {
		LogGroup  any       `json:"LogGroup"`
		LogFormat LogFormat `json:"LogFormat"`
	} `json:"LoggingConfig"`
}

// number is an integer that CloudFormation also takes as a string.
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
	scope := scope{stack: stack.Name, resources: t.Resources}
	for _, logicalID := range sortedKeys(t.Resources) {
		r := t.Resources[logicalID]
		identity, ok := r.Metadata[arm.MetadataKey]
		if r.Type != "AWS::Lambda::Function" || !ok {
			continue
		}
		function, err := readFunction(logicalID, identity, r, assets, scope)
		if err != nil {
			return stack, fmt.Errorf("reading function %s of %s: %w", logicalID, filepath.Base(path), err)
		}
		stack.Functions = append(stack.Functions, function)
	}
	return stack, nil
}

func readFunction(logicalID string, identity json.RawMessage, r resource, assets assets, scope scope) (f Function, err error) {
	var p properties
	if err := json.Unmarshal(r.Properties, &p); err != nil {
		return f, fmt.Errorf("reading Properties: %w", err)
	}
	f = Function{
		LogicalID: logicalID, PackageType: Zip, Runtime: p.Runtime,
		TimeoutSeconds: or(int(p.Timeout), 3), MemorySizeMB: or(int(p.MemorySize), 128), EphemeralStorageMB: or(int(p.EphemeralStorage.Size), 512),
		Architecture: arm.X8664, Environment: map[string]string{},
		ImageConfig: ImageConfig(p.ImageConfig),
	}
	if err := json.Unmarshal(identity, &f.Identity); err != nil {
		return f, fmt.Errorf("reading Metadata %q: %w", arm.MetadataKey, err)
	}
	if f.Identity.Arm == "" {
		return f, fmt.Errorf("reading Metadata %q: it names no arm", arm.MetadataKey)
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
			return f, fmt.Errorf("%s: %w", field.name, err)
		}
	}
	switch f.LogFormat = p.LoggingConfig.LogFormat; f.LogFormat {
	case "":
		f.LogFormat = Text
	case Text, JSON:
	default:
		return f, fmt.Errorf("LoggingConfig.LogFormat %q is neither %s nor %s", f.LogFormat, Text, JSON)
	}
	if f.LogGroup == "" {
		f.LogGroup = "/aws/lambda/" + logicalID
	}
	for _, name := range sortedKeys(p.Environment.Variables) {
		if f.Environment[name], err = scope.text(p.Environment.Variables[name]); err != nil {
			return f, fmt.Errorf("environment variable %s: %w", name, err)
		}
	}
	if p.PackageType == string(Image) {
		f.PackageType = Image
		uri, err := scope.text(p.Code.ImageURI)
		if err != nil {
			return f, fmt.Errorf("Code.ImageUri: %w", err)
		}
		f.Package, f.Dockerfile, f.PackageSizeBytes, err = assets.image(uri[strings.LastIndexByte(uri, ':')+1:])
		return f, err
	}
	key, err := scope.text(p.Code.S3Key)
	if err != nil {
		return f, fmt.Errorf("Code.S3Key: %w", err)
	}
	f.Package, f.PackageSizeBytes, err = assets.file(key)
	return f, err
}

func or(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}
