// Package arm defines the arms of an experiment and their names. It imports no other package of the module.
//
// An arm's identity is data. infra writes it into the Metadata of each AWS::Lambda::Function, lab reads it from the
// synthesized template, and bench copies it into every record. No code parses a function's name.
package arm

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"runtime"
	"strings"
)

// Architecture is an instruction set, spelled as Lambda spells it.
// See https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html.
type Architecture string

// The architectures that Lambda offers.
const (
	ARM64 Architecture = "arm64"
	X8664 Architecture = "x86_64"
)

// ParseArchitecture accepts Lambda's names only, so a template never holds two spellings of one architecture.
func ParseArchitecture(s string) (Architecture, error) {
	if a := Architecture(s); a == ARM64 || a == X8664 {
		return a, nil
	}
	return "", fmt.Errorf("unknown architecture %q: use %s or %s", s, ARM64, X8664)
}

// GOARCH returns Go's name of the architecture.
func (a Architecture) GOARCH() string {
	if a == X8664 {
		return "amd64"
	}
	return string(a)
}

// OfGOARCH returns the architecture for a name of Go and Docker. If Lambda does not have the architecture, the result
// is the same name.
func OfGOARCH(name string) Architecture {
	if name == X8664.GOARCH() {
		return X8664
	}
	return Architecture(name)
}

// Host returns this machine's architecture.
func Host() Architecture { return OfGOARCH(runtime.GOARCH) }

// Package is the kind of a deployment package. An image's kind includes its base.
type Package string

// The kinds of deployment package.
const (
	ZIP          Package = "zip"           // on provided.al2023
	Image        Package = "image"         // FROM public.ecr.aws/lambda/provided:al2023
	ImageMinimal Package = "image-minimal" // FROM scratch, with a static Bash
)

// Packages lists every kind in the order that reports use.
func Packages() []Package { return []Package{ZIP, Image, ImageMinimal} }

// ID names an arm: bootstrap/package, as in "nethttp/zip".
func ID(bootstrap string, p Package) string { return bootstrap + "/" + string(p) }

// SnapStart is the factor of how an environment starts. Its levels are INIT, a snapshot, and a primed snapshot: one
// that was taken after the function had answered an event.
const (
	SnapStart    = "snapstart"
	SnapStartOff = "off"
	Unprimed     = "unprimed"
	Primed       = "primed"
)

// Restored adds a level of SnapStart to an arm's ID: "rawsyscall/image-primed". INIT adds nothing.
func Restored(id, level string) string {
	if level == "" || level == SnapStartOff {
		return id
	}
	return id + "-" + level
}

// snapStartZIP matches the managed runtimes that have SnapStart. Images can have it with any base.
// See https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html.
var snapStartZIP = regexp.MustCompile(`^(java(1[1-9]|[2-9]\d)|python3\.(1[2-9]|[2-9]\d)|dotnet([89]|[1-9]\d))$`)

// SnapStartZIP reports whether a ZIP of a runtime can have SnapStart.
func SnapStartZIP(runtime string) bool { return snapStartZIP.MatchString(runtime) }

// Identity says what an arm is. infra writes it as JSON under the key "twinstart" of a resource's Metadata.
type Identity struct {
	Experiment   string       `json:"experiment"`
	Arm          string       `json:"arm"` // the result of ID(Bootstrap, Package)
	Bootstrap    string       `json:"bootstrap"`
	Package      Package      `json:"package"`
	Architecture Architecture `json:"architecture"`
	MemorySizeMB int          `json:"memorySizeMB"`
	Handler      string       `json:"handler"` // folder below handlers/: "echo"

	// The lab's replacement for the managed runtime, for example "stand-in: node 22.23.5, client 4.0.2".
	StandIn string `json:"standIn,omitempty"`

	Event string `json:"event,omitempty"` // the event that the arm is measured with, JSON; "" means the run's event

	// The alias that is measured under load, without changing it; "" means $LATEST, which a run changes.
	Alias string `json:"alias,omitempty"`

	// Levels of further factors, for example {"client": "raw"}; nil if there are none.
	Levels map[string]string `json:"levels,omitempty"`

	// Variants are further arms of the same function.
	Variants []Variant `json:"variants,omitempty"`
}

// Payload returns the event that an arm is measured with: the given one, else the arm's own, else {}.
func (i Identity) Payload(given []byte) []byte {
	if given != nil {
		return given
	}
	return []byte(cmp.Or(i.Event, "{}"))
}

// DefaultMemorySizeMB is the memory of a function that sets none.
// See https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html.
const DefaultMemorySizeMB = 128

// MetadataKey is the key of an Identity in a resource's Metadata. In the template's own Metadata it is the key of
// the arms that were not measured: {"twinstart": {"notMeasured": [...]}}.
const MetadataKey = "twinstart"

// NotMeasured is an arm that cannot exist or could not be built, and the reason. Reports show it.
type NotMeasured struct {
	Arm string `json:"arm"`
	Why string `json:"why"`
}

// Reasons joins the lines of ByReason with semicolons.
func Reasons(absent []NotMeasured) string { return strings.Join(ByReason(absent), "; ") }

// ByReason returns a line for each reason: first the arms that are not measured for this reason, then the reason.
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

// Match reports whether a pattern selects an arm. The pattern is a glob of path.Match over the arm's ID, so * does
// not match a slash: "rawtcp*/zip". A pattern without a slash is compared with the bootstrap's name alone, or with
// the whole ID if the ID has no slash.
func Match(pattern, id string) (bool, error) {
	full := pattern
	if !strings.Contains(pattern, "/") && strings.Contains(id, "/") {
		full += "/*"
	}
	ok, err := path.Match(full, id)
	if err != nil {
		return false, fmt.Errorf("%q is not a valid pattern: use *, ? and [a-z], as in rawtcp*/zip", pattern)
	}
	return ok, nil
}

// MatchAny reports whether one of several patterns selects an arm.
func MatchAny(patterns []string, id string) (ok bool, err error) {
	for _, p := range patterns {
		hit, e := Match(p, id)
		ok, err = ok || hit, cmp.Or(err, e)
	}
	return ok, err
}
