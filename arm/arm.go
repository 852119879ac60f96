// Package arm is the vocabulary of the experiment: what an arm is and how it is named.
//
// Identity travels as data. It is written into the Metadata of each AWS::Lambda::Function by infra, read back from the
// synthesized template by lab, and copied into every record by bench; nothing is ever parsed out of a function's name.
package arm

import (
	"fmt"
	"strings"
)

// Architecture is an instruction set by Lambda's name for it.
// See https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html.
type Architecture string

// The architectures that Lambda offers.
const (
	ARM64 Architecture = "arm64"
	X8664 Architecture = "x86_64"
)

// ParseArchitecture accepts Lambda's names only, so that a template never holds two spellings of one thing.
func ParseArchitecture(s string) (Architecture, error) {
	switch a := Architecture(s); a {
	case ARM64, X8664:
		return a, nil
	}
	return "", fmt.Errorf("unknown architecture %q: use %s or %s", s, ARM64, X8664)
}

// GOARCH is the same architecture by Go's name.
func (a Architecture) GOARCH() string {
	if a == X8664 {
		return "amd64"
	}
	return string(a)
}

// Package is the kind of deployment package, which for an image includes what it is built on.
type Package string

// The kinds of deployment package.
const (
	ZIP          Package = "zip"           // on provided.al2023
	Image        Package = "image"         // FROM public.ecr.aws/lambda/provided:al2023
	ImageMinimal Package = "image-minimal" // FROM scratch, with a static Bash
)

// Packages lists every kind, in the order of reports.
func Packages() []Package { return []Package{ZIP, Image, ImageMinimal} }

// ID names an arm: bootstrap/package, as in "nethttp/zip".
func ID(bootstrap string, p Package) string { return bootstrap + "/" + string(p) }

// Identity is what an arm is. Its JSON form is the Metadata entry "twinstart" of a function's resource.
type Identity struct {
	Experiment   string       `json:"experiment"`
	Arm          string       `json:"arm"` // ID(Bootstrap, Package)
	Bootstrap    string       `json:"bootstrap"`
	Package      Package      `json:"package"`
	Architecture Architecture `json:"architecture"`
	MemorySizeMB int          `json:"memorySizeMB"`
	Handler      string       `json:"handler"` // folder below handlers/, such as "echo"

	// Levels of factors beyond these, such as {"client": "raw"}; nil if there are none.
	Levels map[string]string `json:"levels,omitempty"`
}

// DefaultMemorySizeMB is the memory of a function that says none.
// See https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html.
const DefaultMemorySizeMB = 128

// MetadataKey is where an Identity stands in a resource's Metadata, and []NotMeasured in the template's own
// (as {"twinstart": {"notMeasured": [...]}}).
const MetadataKey = "twinstart"

// NotMeasured is an arm of the factorial that does not exist or could not be built, and why; reports show it.
type NotMeasured struct {
	Arm string `json:"arm"`
	Why string `json:"why"`
}

// Reasons joins arms that are missing for one reason, for a reason may cost a third of them.
func Reasons(absent []NotMeasured) string { return strings.Join(ByReason(absent), "; ") }

// ByReason is a line for each reason: its arms, and why.
func ByReason(absent []NotMeasured) []string {
	var reasons []string
	arms := map[string][]string{}
	for _, n := range absent {
		if arms[n.Why] == nil {
			reasons = append(reasons, n.Why)
		}
		arms[n.Why] = append(arms[n.Why], n.Arm)
	}
	for i, why := range reasons {
		reasons[i] = strings.Join(arms[why], ", ") + ": " + why
	}
	return reasons
}
