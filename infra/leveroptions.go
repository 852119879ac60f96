package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// has reports whether a lever is measured.
func (s *settings) has(name string) bool {
	return slices.ContainsFunc(s.Levers, func(l arm.Lever) bool { return l.Name == name })
}

// oneCPU reports whether the user's own package has a bootstrap, which is built for one architecture.
func (s *settings) oneCPU() bool {
	return len(s.Packages) > 0 && (s.Runtime == "" || strings.HasPrefix(s.Runtime, "provided"))
}

// levers reports whether this is the experiment of levers, or of the lever size alone.
func (s *settings) levers() bool { return s.Experiment == "levers" || s.Experiment == "sizes" }

// leverSizes parses -c sizes, which replaces the levels of the lever size.
func leverSizes(texts []string) (levels []string, err error) {
	sizes, err := each(whole(1, 240, "use whole MB from 1 to 240 (Lambda unpacks 250, with the code)"))(texts)
	if err != nil {
		return nil, err
	}
	for _, mb := range sizes {
		levels = append(levels, fmt.Sprint(mb), fmt.Sprintf("%d-image", mb))
	}
	return append(levels, fmt.Sprintf("%d-zeros", sizes[len(sizes)-1])), nil
}

// completeLevers sets the defaults of the experiment of levers, and refuses settings that exclude its levers.
func (s *settings) completeLevers() error {
	if s.Experiment == "sizes" && s.Levers == nil {
		s.Levers, _ = leversNamed([]string{"size"})
	}
	sized := slices.IndexFunc(s.Levers, func(l arm.Lever) bool { return l.Name == "size" })
	switch {
	case s.Sizes != nil && sized < 0:
		return errors.New("-c sizes is for the lever size: add -c experiment=sizes, or leave it out")
	case s.Sizes != nil:
		s.Levers[sized].Levels = s.Sizes
	}
	switch {
	case !s.levers() && s.Levers != nil:
		return errors.New("-c levers is for -c experiment=levers: add that, or leave -c levers out")
	case !s.levers():
		return nil
	case s.Levers == nil:
		s.Levers = slices.DeleteFunc(arm.Levers(), func(l arm.Lever) bool {
			return l.Asked || l.Name == "architecture" && s.oneCPU()
		})
	}
	if s.Languages == nil {
		s.Languages, _ = languagesNamed([]string{"node"}) // it exists
	}
	switch {
	case len(s.MemorySizes) > 1:
		return errors.New("-c experiment=levers and several -c memory: the lever memory measures them: give only one")
	case len(s.Packages) > 1:
		return errors.New("-c experiment=levers changes one package: name one in -c packages")
	case s.has("architecture") && s.oneCPU():
		return errors.New("-c levers=architecture and -c packages of provided.*: their bootstrap is built for one CPU: " +
			"leave architecture out, or name a managed runtime in -c runtime")
	case s.VPC != "" && s.has("vpc"):
		return errors.New("-c experiment=levers and -c vpc: the lever vpc measures it: leave one out")
	case s.Tracing != "" && s.has("tracing"):
		return errors.New("-c experiment=levers and -c tracing: the lever tracing measures it: leave one out")
	case s.Reserved > 0 && s.Reserved <= 10 && s.has("provisioned"):
		return fmt.Errorf("-c experiment=levers and -c reserved=%d: the lever provisioned takes 10 environments, and the "+
			"baseline takes one: reserve 11 at least", s.Reserved)
	case s.Reserved > 0 && s.Reserved < trackedMost && s.has("tracked"):
		return fmt.Errorf("-c experiment=levers and -c reserved=%d: the lever tracked provisions up to %d environments: "+
			"reserve at least as many", s.Reserved, trackedMost)
	case s.Provisioned != nil || s.URL:
		return errors.New("-c experiment=levers measures functions by Invoke: leave -c provisioned and -c url out")
	case s.has(arm.Code) && (s.Packages != nil || s.Arms != nil):
		return errors.New("-c levers=code is for our function handlers/habits: leave -c packages and -c arms out")
	case s.has(arm.Code) && (len(s.Languages) > 1 || arm.CodeHabits(s.Languages[0].Name) == nil):
		return errors.New("-c levers=code: handlers/habits is in node, python and bash: name one of them in -c languages")
	case len(s.Packages) > 0:
		return nil
	case s.Arms == nil:
		s.Arms, _ = selectArms([]string{"rawsyscall/zip"}) // it exists
	case len(s.Arms) > 1:
		return errors.New("-c experiment=levers changes one arm: name one in -c arms, as in nethttp/zip")
	case s.Arms[0].Package != arm.ZIP:
		return errors.New("-c experiment=levers and an image: Lambda gives an image no layers: name a ZIP in -c arms")
	}
	return nil
}
