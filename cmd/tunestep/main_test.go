package main

import (
	"slices"
	"testing"
)

func TestPowerValues(t *testing.T) {
	for text, want := range map[string][]int{"": {}, "128": {128}, "128, 10240": {128, 10240}} {
		t.Setenv("POWER_VALUES", text)
		if steps, err := newSteps(t.Context()); err != nil || !slices.Equal(steps.Defaults.PowerValues, want) {
			t.Errorf("%q: got %v, %v", text, steps, err)
		}
	}
	for _, text := range []string{"x", "128,", "1e3"} {
		t.Setenv("POWER_VALUES", text)
		if _, err := newSteps(t.Context()); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}
