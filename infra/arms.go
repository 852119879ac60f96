package main

import (
	"fmt"
	"path"
	"strings"

	"github.com/twinstart/twinstart/runtime/arm"
	"github.com/twinstart/twinstart/runtime/build"
)

// selectedArm is one cell of the factorial.
type selectedArm struct {
	Bootstrap build.Bootstrap
	Package   arm.Package
}

// ID is the arm's name, as in "nethttp/zip".
func (a selectedArm) ID() string { return arm.ID(a.Bootstrap.Name, a.Package) }

// factorial is every bootstrap in every package, whether or not it can exist or be built here.
func factorial() []selectedArm {
	var arms []selectedArm
	for _, b := range build.Bootstraps() {
		for _, p := range arm.Packages() {
			arms = append(arms, selectedArm{b, p})
		}
	}
	return arms
}

// selectArms returns the arms that any of the patterns matches, in the order of reports; no patterns select all. A pattern is one
// of path.Match for an arm's id, so that * stays on its side of the slash; one without a slash is for the bootstrap's name alone.
// Each pattern has to match something, or one typing error in a list would pass unseen.
func selectArms(patterns []string) ([]selectedArm, error) {
	all := factorial()
	if len(patterns) == 0 {
		return all, nil
	}
	chosen := make([]bool, len(all))
	for _, pattern := range patterns {
		full := pattern
		if !strings.Contains(pattern, "/") {
			full += "/*"
		}
		found := false
		for i, a := range all {
			matches, err := path.Match(full, a.ID())
			if err != nil {
				return nil, fmt.Errorf("%q is no glob: use *, ? and [a-z], as in rawtcp*/zip", pattern)
			}
			chosen[i] = chosen[i] || matches
			found = found || matches
		}
		if !found {
			return nil, fmt.Errorf("%q matches no arm: use BOOTSTRAP/PACKAGE of %s and %s, with * for any", pattern, bootstrapNames(), packageNames())
		}
	}
	var arms []selectedArm
	for i, a := range all {
		if chosen[i] {
			arms = append(arms, a)
		}
	}
	return arms, nil
}

func bootstrapNames() string {
	var names []string
	for _, b := range build.Bootstraps() {
		names = append(names, b.Name)
	}
	return strings.Join(names, "|")
}

func packageNames() string { return join(arm.Packages(), "|") }
