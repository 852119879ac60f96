package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// The file lists every right in a stack: who may do what to which resource. So a reviewer sees when rights grow.
func TestGoldenIAM(t *testing.T) {
	var b strings.Builder
	for _, test := range []struct {
		title   string
		context map[string]any
	}{{"one function", map[string]any{"arms": "nethttp/zip"}}, {"one function with all options", merge(allOptions, map[string]any{"arms": "nethttp/zip"})}} {
		template, _ := synth(t, test.context, nil)
		fmt.Fprintf(&b, "# %s\n", test.title)
		for _, id := range slices.Sorted(maps.Keys(template.Resources)) {
			for _, s := range statements(template.Resources[id].Properties) {
				fmt.Fprintf(&b, "%s %s: %s\n", template.Resources[id].Type, id, s)
			}
		}
	}
	golden(t, "iam.txt", []byte(b.String()))
}

func merge(a, b map[string]any) map[string]any {
	merged := maps.Clone(a)
	maps.Copy(merged, b)
	return merged
}

// statements finds the statements of policies anywhere in a resource.
func statements(value any) []string {
	var found []string
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			found = append(found, statements(item)...)
		}
	case map[string]any:
		if effect, ok := value["Effect"].(string); ok {
			conditions := ""
			if c, ok := value["Condition"]; ok {
				conditions = " if " + asJSON(c)
			}
			for _, action := range many(value["Action"]) {
				who := ""
				if p, ok := value["Principal"]; ok {
					who = asJSON(p) + " "
				}
				found = append(found, fmt.Sprintf("%s %s%s on %s%s", effect, who, action, asJSON(value["Resource"]), conditions))
			}
			return found
		}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			found = append(found, statements(value[name])...)
		}
	}
	return found
}

// many returns a list. One value stands for a list of one.
func many(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	return []any{value}
}

func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
