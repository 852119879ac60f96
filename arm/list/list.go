// Package list has functions that packages slices and strings lack.
package list

import (
	"fmt"
	"slices"
	"strings"
)

// Add appends the values that are not in the list yet.
func Add[T comparable](list []T, values ...T) []T {
	for _, v := range values {
		if !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}

// Few returns no more texts than most. If there are more, the last one says how many it leaves out.
func Few(texts []string, most int) []string {
	if n := len(texts); n > most {
		return append(texts[:most-1:most-1], fmt.Sprintf("%d more", n-most+1))
	}
	return texts
}

// OneLine returns a text on one line. Each sequence of blanks and line ends becomes one blank.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Map returns the result of a function for each value.
func Map[T, U any](list []T, of func(T) U) []U {
	out := make([]U, len(list))
	for i, v := range list {
		out[i] = of(v)
	}
	return out
}
