package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/language"
)

// has reports whether a lever is measured.
func (s *settings) has(name string) bool {
	return slices.ContainsFunc(s.Levers, func(l arm.Lever) bool { return l.Name == name })
}

// leversNamed parses -c levers.
func leversNamed(names []string) ([]arm.Lever, error) {
	return chosen(arm.Levers(), func(l arm.Lever) string { return l.Name }, names)
}

// oneCPU reports whether the package of the user's own has a bootstrap, which is built for one architecture.
func (s *settings) oneCPU() bool {
	return len(s.Packages) > 0 && (s.Runtime == "" || strings.HasPrefix(s.Runtime, "provided"))
}

// levers reports whether the experiment is that of levers, or of the one lever size.
func (s *settings) levers() bool { return s.Experiment == "levers" || s.Experiment == "sizes" }

// leverSizes parses -c sizes, which takes the place of the sizes that the table names.
func leverSizes(texts []string) (levels []string, err error) {
	for _, t := range texts {
		if _, err := whole(t, 1, 240, fmt.Sprintf("%q is not a size: use whole MB from 1 to 240 (Lambda unpacks 250, with the code)", t)); err != nil {
			return nil, err
		}
		levels = append(levels, t, t+"-image")
	}
	return append(levels, texts[len(texts)-1]+"-zeros"), nil
}

// completeLevers sets the defaults of the experiment of levers, and refuses what excludes its levers.
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
		s.Levers = slices.DeleteFunc(arm.Levers(), func(l arm.Lever) bool { return l.Asked || l.Name == "architecture" && s.oneCPU() })
	}
	switch {
	case len(s.MemorySizes) > 1:
		return errors.New("-c experiment=levers and several -c memory: the lever memory measures them: give the baseline's")
	case len(s.Packages) > 1:
		return errors.New("-c experiment=levers changes one package: name one in -c packages")
	case s.has("architecture") && s.oneCPU():
		return errors.New("-c levers=architecture and -c packages of provided.*: their bootstrap is built for one CPU: leave architecture out, or name a managed runtime in -c runtime")
	case s.VPC != "" && s.has("vpc"):
		return errors.New("-c experiment=levers and -c vpc: the lever vpc measures it: leave one out")
	case s.Tracing != "" && s.has("tracing"):
		return errors.New("-c experiment=levers and -c tracing: the lever tracing measures it: leave one out")
	case s.Reserved > 0 && s.Reserved <= 10 && s.has("provisioned"):
		return fmt.Errorf("-c experiment=levers and -c reserved=%d: the lever provisioned takes 10 environments beside the baseline's: reserve 11 at least", s.Reserved)
	case s.Reserved > 0 && s.Reserved < trackedMost && s.has("tracked"):
		return fmt.Errorf("-c experiment=levers and -c reserved=%d: the lever tracked provisions up to %d environments: reserve so many", s.Reserved, trackedMost)
	case s.Provisioned != nil || s.URL:
		return errors.New("-c experiment=levers measures functions by Invoke: leave -c provisioned and -c url out")
	case s.has(arm.Code) && (s.Packages != nil || s.Arms != nil):
		return errors.New("-c levers=code is of a function of ours in -c languages=node, python or bash: leave -c packages and -c arms out")
	case s.has(arm.Code) && s.Languages != nil && (len(s.Languages) > 1 || arm.CodeHabits(s.Languages[0].Name) == nil):
		return errors.New("-c levers=code: handlers/habits is in node, python and bash: name one of them in -c languages")
	case len(s.Packages) > 0:
		return nil
	case s.Arms == nil:
		s.Arms, _ = selectArms([]string{"rawsyscall/zip"}) // it is there
	case len(s.Arms) > 1:
		return errors.New("-c experiment=levers changes one arm: name one in -c arms, as in nethttp/zip")
	case s.Arms[0].Package != arm.ZIP:
		return errors.New("-c experiment=levers and an image: Lambda gives an image no layers: name a ZIP in -c arms")
	}
	return nil
}

// habits is the function of the lever code: its habits are levels.
var habits = language.Function{Project: filepath.Join(handlersDir, habitsHandler), Name: "work"}

const (
	habitsHandler = "habits"
	habitsEvent   = `{"mb":8}` // of a digest, on one core or four
)

// habitsCalls are what it asks of DynamoDB.
var habitsCalls = []string{"GetItem", "PutItem", "BatchWriteItem"}

// language is the one that the lever code is tried in.
func (s *settings) language() language.Language {
	if s.Languages != nil {
		return s.Languages[0]
	}
	node, _ := languagesNamed([]string{"node"}) // it is there
	return node[0]
}

// habit returns what a habit overrides, or nil if the language does not have it. own reports that it is a package of
// its own, as a variant of the language makes it.
func (l *leverBench) habit(level string) (set *arm.Override, own bool, err error) {
	if !slices.Contains(arm.CodeHabits(l.language().Name), level) {
		return nil, false, nil
	}
	variant, err := languagesNamed([]string{l.language().Name + "-" + level})
	if err != nil {
		return &arm.Override{Environment: map[string]string{arm.CodeVariable: level}}, false, nil //nolint:nilerr // the same package
	}
	identity := l.identity.Pulled(arm.Code, level)
	code, err := buildLanguage(variant[0], context.Background(), habits, l.Architecture)
	if unavailable := (*packages.UnavailableError)(nil); errors.As(err, &unavailable) {
		l.absent = append(l.absent, arm.NotMeasured{Arm: identity.Arm, Why: unavailable.Why + "; " + unavailable.Remedy})
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	_, err = l.function("Code-"+level, code, identity, l.options)
	return nil, true, err
}
