package arm_test

import (
	"strings"
	"testing"

	"github.com/twinstart/twinstart/arm"
)

// An alias of digits alone would be a version.
func TestNamesThatLambdaTakes(t *testing.T) {
	for name, want := range map[string]bool{
		"live": true, "7a": true, "-": true, strings.Repeat("a", arm.MaxName): true, strings.Repeat("1", arm.MaxName-1) + "a": true,
		"": false, "7": false, "$LATEST": false, "a.b": false, strings.Repeat("a", arm.MaxName+1): false, "live\n": false,
	} {
		if got := arm.IsAlias(name); got != want {
			t.Errorf("IsAlias(%q) = %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]bool{"f": true, "7": true, strings.Repeat("f", 64): true, "": false, "f:1": false, strings.Repeat("f", 65): false} {
		if got := arm.FunctionName.MatchString(name); got != want {
			t.Errorf("%q is a function's name: %v, want %v", name, got, want)
		}
	}
}
