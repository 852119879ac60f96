package assembly

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/twinstart/twinstart/arm"
)

// The fields in this package are named as in CloudFormation's and the CDK's documents: encoding/json ignores case.

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

// readStack reads the template of a stack. A function that cannot be read goes to NotMeasured.
func readStack(dir, id string, art artifact) (Stack, error) {
	stack := Stack{Name: cmp.Or(art.Properties.StackName, id)}
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
		reading := fmt.Sprintf("reading function %s of %s", logicalID, filepath.Base(path))
		identity, err := readIdentity(logicalID, r, art)
		if err != nil {
			return stack, fmt.Errorf("%s: %w", reading, err)
		}
		if identity.Helper {
			continue
		}
		function, err := readFunction(logicalID, r, assets, scope)
		if err != nil {
			stack.NotMeasured = append(stack.NotMeasured, arm.NotMeasured{Arm: identity.Arm, Why: err.Error()})
			continue
		}
		for _, v := range identity.Variants {
			for _, layer := range v.Set.Layers {
				function.OtherLayers[layer], err = scope.layer(map[string]any{"Ref": layer}, assets)
				if err != nil {
					return stack, fmt.Errorf("%s: %s=%s: layer %w", reading, v.Lever, v.Level, err)
				}
			}
		}
		function.identify(identity.Identity, stack.Name)
		stack.Functions = append(stack.Functions, function)
	}
	return stack, nil
}
