package assembly

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// Function is an AWS::Lambda::Function with its deployment package.
type Function struct {
	LogicalID            string
	Identity             arm.Identity
	PackageType          PackageType
	Runtime              string // "provided.al2023", or a managed one; "" for an image
	Handler              string // "handler.run"; "" for an image
	Description          string
	Role                 string // ARN of the role
	TimeoutSeconds       int    // Lambda's default is 3
	MemorySizeMB         int    // Lambda's default is 128
	EphemeralStorageMB   int    // of /tmp; Lambda's default is 512
	SnapStart            bool   // for versions; $LATEST never has it
	ReservedConcurrency  *int   // most invocations at once; nil if the function has no limit
	Environment          map[string]string
	Architecture         arm.Architecture
	LogGroup             string
	LogFormat            LogFormat
	Package              string            // a .zip file, a folder to be zipped, or an image's context folder
	Layers               []string          // like Package; each is laid over the earlier ones at /opt
	OtherLayers          map[string]string // layers of the arm's variants, by logical ID
	Dockerfile           string            // path below Package, for an image
	ImageConfig          ImageConfig       // for an image
	PackageSizeBytes     int64             // of the ZIP file, or of an image's context without the Dockerfile
	PhysicalFunctionName string            // FunctionName, if the template sets it
	Ignored              []string          // settings of the template that the lab ignores
}

// LayerARN is the ARN of a layer in the lab.
func LayerARN(logicalID string) string {
	return "arn:aws:lambda:" + Region + ":" + Account + ":layer:" + logicalID + ":1"
}

// Name is the function's name in the lab: its FunctionName, or else its logical ID.
func (f *Function) Name() string { return cmp.Or(f.PhysicalFunctionName, f.LogicalID) }

// Managed reports whether the function needs one of Lambda's managed language runtimes.
func (f *Function) Managed() bool { return f.PackageType == Zip && Managed(f.Runtime) }

// Managed reports whether a runtime is one of Lambda's managed language runtimes.
func Managed(runtime string) bool { return runtime != "" && !strings.HasPrefix(runtime, "provided") }

// LogFormat is the form of Lambda's own log lines about an invocation: START, END and REPORT, or platform events.
type LogFormat string

// Lambda's log formats.
const (
	Text LogFormat = "Text"
	JSON LogFormat = "JSON"
)

// PackageType is how code reaches Lambda.
type PackageType string

// Lambda's package types.
const (
	Zip   PackageType = "Zip"
	Image PackageType = "Image"
)

// ImageConfig overrides settings of an image. An empty field overrides nothing.
type ImageConfig struct {
	Command          []string
	EntryPoint       []string
	WorkingDirectory string
}

// metadata is the entry arm.MetadataKey in a function's Metadata.
type metadata struct {
	arm.Identity
	Helper bool `json:"helper"` // the function serves the arms and is not itself an arm
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

// identify gives the function an identity. It fills the identity's empty fields from the function's properties.
func (f *Function) identify(id arm.Identity, stack string) {
	kind := arm.ZIP
	if f.PackageType == Image {
		kind = arm.Image
	}
	id.Experiment, id.Package = cmp.Or(id.Experiment, stack), cmp.Or(id.Package, kind)
	id.Architecture = cmp.Or(id.Architecture, f.Architecture)
	id.MemorySizeMB = cmp.Or(id.MemorySizeMB, f.MemorySizeMB)
	f.Identity = id
}
