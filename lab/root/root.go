// Package root is what a function finds on Lambda, as published, and what it finds elsewhere: facts by name. lambda.json is the reference, with
// the source and date of each fact, what nobody has published, and in what the lab differs for a reason.
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

// Listing is what handlers/inspect says of the place where it runs.
type Listing map[string]string

// Parse reads the answer of handlers/inspect.
func Parse(text []byte) (Listing, error) {
	var l Listing
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, fmt.Errorf("reading a listing: it is not what handlers/inspect answers, an object of texts: %w", err)
	}
	if len(l) == 0 || l["kernel"] == "" {
		return nil, fmt.Errorf("reading a listing: it is not what handlers/inspect answers: it has no kernel among %d facts", len(l))
	}
	return l, nil
}

//go:embed lambda.json
var reference []byte

// Reference is lambda.json.
type Reference struct {
	Sources map[string]Source `json:"sources"`
	// Facts in an order in which the first that fits a name holds.
	Facts []Fact `json:"facts"`
}

// Source is where a fact was published, and when.
type Source struct {
	Address, Date, What string
}

// Fact says what Lambda has under a name.
type Fact struct {
	Name string `json:"name"` // * at its end stands for any rest
	// One of: Value, as a regular expression of all of it; "" for nothing by this name; Varies with the function, the machine or the moment,
	// which is not compared; Unknown, for nobody has published it, and why the lab has what it has.
	Value   *string `json:"value"`
	Varies  bool    `json:"varies"`
	Unknown string  `json:"unknown"`

	Sources []string `json:"sources"`
	// Lab is why the lab differs, "" where it does not.
	Lab string `json:"lab"`
}

// Published is the reference.
func Published() Reference {
	var r Reference
	if err := json.Unmarshal(reference, &r); err != nil {
		panic(err) // embedded
	}
	return r
}

// Find is the first fact that fits a name.
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

// Difference is a fact that is not the same in two places; "" stands for nothing by that name.
type Difference struct {
	Name, Lambda, Lab string
	Reason            string // that the reference gives; "" for none
}

// Held compares a lab's listing with the reference.
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

// Compare holds a listing from Lambda against the lab's. What varies anyway is left out.
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

// same also where one of the bases has no readlink to say where a link leads.
func same(a, b string) bool {
	return a == b || a == "link" && strings.HasPrefix(b, "link to ") || b == "link" && strings.HasPrefix(a, "link to ")
}
