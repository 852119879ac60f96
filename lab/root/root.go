// Package root compares what a function finds on Lambda, as published, with what it finds elsewhere. Both are facts
// by name. lambda.json is the reference: it has the source and date of each fact, facts that nobody has published,
// and the reasons why the lab differs.
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
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, fmt.Errorf("reading a listing: it is not an answer of handlers/inspect, a JSON object of strings: %w", err)
	}
	if len(l) == 0 || l["kernel"] == "" {
		return nil, fmt.Errorf("reading a listing: it is not an answer of handlers/inspect: none of its %d facts is the kernel", len(l))
	}
	return l, nil
}

//go:embed lambda.json
var reference []byte

// Fact is what Compare needs of a fact in the reference: the rest of lambda.json is for readers and for the tests.
type Fact struct {
	Name   string `json:"name"`   // a * at the end matches any rest
	Varies bool   `json:"varies"` // it depends on the function, the machine or the time
	Lab    string `json:"lab"`    // why the lab differs; "" if it does not
}

// Matches reports whether a fact is about a name.
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

// same compares two values. If one base has no readlink, it cannot say where a link leads, and any link is the
// same.
func same(a, b string) bool {
	return a == b || a == "link" && strings.HasPrefix(b, "link to ") || b == "link" && strings.HasPrefix(a, "link to ")
}
