package arm

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// docs/levers.md has a table with one row for each of Levers.
func TestLeversAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/levers.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range Levers() {
		if row := fmt.Sprintf("\n| %s | %s | %s |", l.Name, strings.Join(l.Levels, ", "), l.Changes); !strings.Contains(string(text), row) {
			t.Errorf("docs/levers.md lacks the row%s", row)
		}
	}
}

// Only keeps the levers that a pattern selects. hit says whether it selects any arm, the function's own arm included.
func TestOnly(t *testing.T) {
	id := Identity{Arm: "a/zip", Variants: []Variant{{Lever: Twin}, {Lever: "memory", Level: "128"}, {Lever: "memory", Level: "256"}}}
	for pattern, want := range map[string]string{"*": "true twin- memory-128 memory-256", "a/zip": "true", "*/*-memory-*": "true memory-128 memory-256", "a/zip-twin": "true twin-", "b": "false", "[": "an error"} {
		only, hit, err := id.Only(pattern)
		got := fmt.Sprint(hit)
		for _, v := range only.Variants {
			got += " " + v.Lever + "-" + v.Level
		}
		if (err != nil) != (want == "an error") || err == nil && got != want || len(id.Variants) != 3 {
			t.Errorf("%s: %s, %v; want %s", pattern, got, err, want)
		}
	}
}
