// Package root compares the environment that a function has on Lambda with the one that it has in the lab. Both are
// lists of facts by name, such as the kernel or a folder's mode. lambda.json is the reference: it has the source and
// date of each published fact, the names of facts that nobody has published, and the reasons why the lab differs.
package root

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Listing is the answer of handlers/inspect: facts by name.
type Listing map[string]string

// Parse parses the answer of handlers/inspect.
func Parse(text []byte) (Listing, error) {
	var l Listing
	const not = "reading a listing: it is not an answer of handlers/inspect"
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, fmt.Errorf(not+", a JSON object of strings: %w", err)
	}
	if l["kernel"] == "" {
		return nil, fmt.Errorf(not+", which names the kernel: it has %d facts (see twinstart doctor --help)", len(l))
	}
	return l, nil
}

//go:embed lambda.json
var reference []byte

// Fact is a fact in the reference. lambda.json has more about it, for readers and for the tests.
type Fact struct {
	Name   string `json:"name"`   // a * at the end stands for any text
	Varies bool   `json:"varies"` // depends on the function, the machine or the time
	Lab    string `json:"lab"`    // why the lab differs; "" if it does not
}

// Matches reports whether the fact is about a name.
func (f Fact) Matches(name string) bool {
	prefix, pattern := strings.CutSuffix(f.Name, "*")
	return name == f.Name || pattern && strings.HasPrefix(name, prefix)
}

// Difference is a fact that differs between two places; "" means that a place has nothing under the name.
type Difference struct {
	Name, Lambda, Lab string
	Reason            string // the reason in the reference; "" if there is none
}

// Compare compares a listing from Lambda with one from the lab. It leaves out facts that vary.
func Compare(lambda, lab Listing) (differ []Difference) {
	var r struct{ Facts []Fact } // the first fact that matches a name applies
	if err := json.Unmarshal(reference, &r); err != nil {
		panic(err) // embedded
	}
	names := maps.Clone(lambda)
	maps.Copy(names, lab)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		var f Fact
		if i := slices.IndexFunc(r.Facts, func(f Fact) bool { return f.Matches(name) }); i >= 0 {
			f = r.Facts[i]
		}
		if on, here := lambda[name], lab[name]; !f.Varies && !same(on, here) {
			differ = append(differ, Difference{Name: name, Lambda: on, Lab: here, Reason: f.Lab})
		}
	}
	return differ
}

// same compares two values. A base without readlink does not say where a link leads, so its links equal any link.
func same(a, b string) bool {
	return a == b || (a == "link" || b == "link") && strings.HasPrefix(a, "link") && strings.HasPrefix(b, "link")
}
