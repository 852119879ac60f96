package arm

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// docs/levers.md has the table of Levers, a row each.
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
