package main

import (
	"path/filepath"

	"github.com/twinstart/twinstart/packages/language"
)

// habits is the function of the lever code: its habits are levels.
var habits = language.Function{Project: filepath.Join(handlersDir, habitsHandler), Name: "work"}

const habitsHandler = "habits"

// language is the one that the lever code is tried in.
func (s *settings) language() language.Language {
	if s.Languages != nil {
		return s.Languages[0]
	}
	node, _ := languagesNamed([]string{"node"}) // it is there
	return node[0]
}
