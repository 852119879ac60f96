package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/packages"
	"github.com/twinstart/twinstart/packages/language"
)

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
