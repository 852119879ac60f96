package main

import (
	"slices"
	"testing"
)

func TestParsePowers(t *testing.T) {
	for text, want := range map[string][]int{"": nil, "128": {128}, "128, 10240": {128, 10240}} {
		if got, err := parsePowers(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"127", "x", "128,", "10241", "1e3"} {
		if got, err := parsePowers(text); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
