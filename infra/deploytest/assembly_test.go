//go:build deploy

package deploytest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// template is a synthesized template.
type template struct {
	whole     map[string]any
	path      string
	Resources map[string]resource
}

type resource struct {
	Type       string
	Properties map[string]any
	Metadata   map[string]any
}

func readTemplate(t *testing.T, path string) template {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	read := template{path: path}
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &read.whole); err != nil {
		t.Fatal(err)
	}
	return read
}

// refused returns the reason why CloudFormation of MiniStack 1.5.33 refuses a resource, or "" if it accepts the
// resource.
func refused(r resource) string {
	switch r.Type {
	case "AWS::Logs::QueryDefinition", "AWS::Logs::Transformer", "AWS::CloudWatch::InsightRule",
		"AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy":
		return "unknown type"
	case "AWS::CloudWatch::Alarm":
		if r.Properties["Metrics"] != nil {
			return "metric maths"
		}
	}
	return ""
}

// leaveOut removes the refused resources from the template that the CDK CLI will read, and returns them. The rest is
// deployed without changes.
func (read *template) leaveOut(t *testing.T) map[string]resource {
	t.Helper()
	out := map[string]resource{}
	left := map[string]int{}
	resources := read.whole["Resources"].(map[string]any)
	var gone []string
	for id, r := range read.Resources {
		if why := refused(r); why != "" {
			left[r.Type+" ("+why+")"]++
			out[id] = r
			delete(read.Resources, id)
			delete(resources, id)
			gone = append(gone, id)
		}
	}
	for id, r := range resources {
		drop(r.(map[string]any), gone)
		if strings.Contains(string(must(json.Marshal(r))(t)), `"CDKMetadata"`) {
			t.Errorf("%s has the CDK's own metadata, which the app must leave out", id)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(left)) {
		t.Logf("left out, because MiniStack refuses it: %d of %s", left[what], what)
	}
	read.save(t)
	return out
}

// save writes the template back under a new hash. The CDK CLI does not upload a template whose hash is in the bucket.
func (read *template) save(t *testing.T) {
	t.Helper()
	content := must(json.Marshal(read.whole))(t)
	if err := os.WriteFile(read.path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	dir, name := filepath.Split(read.path)
	manifest := strings.TrimSuffix(name, ".template.json") + ".assets.json"
	var old string
	for hash, path := range assets(t, dir, strings.TrimSuffix(manifest, ".assets.json")) {
		if filepath.Base(path) == name {
			old = hash
		}
	}
	for _, file := range []string{manifest, "manifest.json"} {
		path := filepath.Join(dir, file)
		text := strings.ReplaceAll(string(must(os.ReadFile(path))(t)), old, fmt.Sprintf("%x", sha256.Sum256(content)))
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// drop removes the names of removed resources from a resource's DependsOn.
func drop(r map[string]any, gone []string) {
	depends, ok := r["DependsOn"].([]any)
	if !ok {
		return
	}
	r["DependsOn"] = slices.DeleteFunc(depends, func(id any) bool { return slices.Contains(gone, fmt.Sprint(id)) })
}

// assets maps the hash of each file asset to its path.
func assets(t *testing.T, assembly, stack string) map[string]string {
	t.Helper()
	var manifest struct {
		Files map[string]struct {
			Source struct{ Path string }
		}
	}
	text := must(os.ReadFile(filepath.Join(assembly, stack+".assets.json")))(t)
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{}
	for hash, f := range manifest.Files {
		paths[hash] = filepath.Join(assembly, f.Source.Path)
	}
	return paths
}
