// Package root compares what a function finds on Lambda, as published, with what it finds elsewhere. Both are facts
// by name. lambda.json is the reference: it has the source and date of each fact, facts that nobody has published,
// and the reasons why the lab differs.
package root

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
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

// Reference is the content of lambda.json.
type Reference struct {
	Sources map[string]Source `json:"sources"`
	// Facts are in order: the first one that matches a name applies.
	Facts []Fact `json:"facts"`
}

// Source says where and when a fact was published.
type Source struct {
	Address, Date, What string
}

// Fact says what Lambda has under a name.
type Fact struct {
	Name string `json:"name"` // a * at the end matches any rest
	// One of these is set. Value is a regular expression for the whole value; "" means that Lambda has nothing under
	// this name. Varies means that the value depends on the function, the machine or the time, and is not compared.
	// Unknown means that nobody has published the value; it says why the lab has its own.
	Value   *string `json:"value"`
	Varies  bool    `json:"varies"`
	Unknown string  `json:"unknown"`

	Sources []string `json:"sources"`
	// Lab says why the lab differs; "" if it does not.
	Lab string `json:"lab"`
}

// Published returns the reference.
func Published() Reference {
	var r Reference
	if err := json.Unmarshal(reference, &r); err != nil {
		panic(err) // embedded
	}
	return r
}

// Find returns the first fact that matches a name.
func (r Reference) Find(name string) (Fact, bool) {
	i := slices.IndexFunc(r.Facts, func(f Fact) bool {
		prefix, pattern := strings.CutSuffix(f.Name, "*")
		return name == f.Name || pattern && strings.HasPrefix(name, prefix)
	})
	if i < 0 {
		return Fact{}, false
	}
	return r.Facts[i], true
}

// Difference is a fact that differs between two places; "" means that a place has nothing under the name.
type Difference struct {
	Name, Lambda, Lab string
	Reason            string // the reason in the reference; "" if there is none
}

// Held compares a lab's listing with the reference and returns the differences.
func (r Reference) Held(lab Listing) (differ []Difference) {
	for _, name := range slices.Sorted(maps.Keys(lab)) {
		f, ok := r.Find(name)
		switch {
		case !ok:
			differ = append(differ, Difference{Name: name, Lambda: "not in the reference", Lab: lab[name]})
		case f.Value != nil && !f.fits(lab[name]):
			differ = append(differ, Difference{Name: name, Lambda: *f.Value, Lab: lab[name], Reason: f.Lab})
		}
	}
	for _, f := range r.Facts {
		if _, ok := lab[f.Name]; !ok && f.Value != nil && *f.Value != "" && !strings.HasSuffix(f.Name, "*") {
			differ = append(differ, Difference{Name: f.Name, Lambda: *f.Value, Reason: f.Lab})
		}
	}
	return differ
}

func (f Fact) fits(value string) bool {
	whole, err := regexp.MatchString("^(?:"+*f.Value+")$", value)
	return err == nil && whole
}

// Compare compares a listing from Lambda with one from the lab. It leaves out facts that vary.
func (r Reference) Compare(lambda, lab Listing) (differ []Difference) {
	names := maps.Clone(lambda)
	maps.Copy(names, lab)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		f, _ := r.Find(name)
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
