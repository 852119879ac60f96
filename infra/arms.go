package main

import (
	"fmt"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/packages"
)

// selectedArm is one cell of the factorial.
type selectedArm struct {
	Bootstrap packages.Bootstrap
	Package   arm.Package
}

// ID is the arm's name, as in "nethttp/zip".
func (a selectedArm) ID() string { return arm.ID(a.Bootstrap.Name, a.Package) }

// factorial returns every bootstrap in every package, whether or not it can exist or be built here.
func factorial() []selectedArm {
	var arms []selectedArm
	for _, b := range packages.Bootstraps() {
		for _, p := range arm.Packages() {
			arms = append(arms, selectedArm{b, p})
		}
	}
	return arms
}

// selectArms returns the arms that match any of the patterns (arm.Match), in the order of reports. If a pattern matches
// nothing, that is an error, so that a typing error in a list is noticed.
func selectArms(patterns []string) (arms []selectedArm, err error) {
	found := map[string]bool{}
	for _, a := range factorial() {
		chosen := false
		for _, pattern := range patterns {
			matches, err := arm.Match(pattern, a.ID())
			if err != nil {
				return nil, err
			}
			chosen, found[pattern] = chosen || matches, found[pattern] || matches
		}
		if chosen {
			arms = append(arms, a)
		}
	}
	for _, pattern := range patterns {
		if !found[pattern] {
			names := list.Map(packages.Bootstraps(), func(b packages.Bootstrap) string { return b.Name })
			kinds := list.Map(arm.Packages(), func(p arm.Package) string { return string(p) })
			return nil, fmt.Errorf("%q matches no arm: use BOOTSTRAP/PACKAGE of %s and %s, with * for any", pattern,
				strings.Join(names, "|"), strings.Join(kinds, "|"))
		}
	}
	return arms, nil
}
