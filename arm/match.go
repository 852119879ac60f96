package arm

import (
	"fmt"
	"path"
	"strings"
)

// Match tells whether a pattern selects an arm: a glob of path.Match for its ID, in which * stays on its side of the slash, as in
// "rawtcp*/zip". One without a slash is for the bootstrap's name alone, or for an arm that has no slash.
func Match(pattern, id string) (bool, error) {
	full := pattern
	if !strings.Contains(pattern, "/") && strings.Contains(id, "/") {
		full += "/*"
	}
	ok, err := path.Match(full, id)
	if err != nil {
		return false, fmt.Errorf("%q is not a valid pattern: use *, ? and [a-z], as in rawtcp*/zip", pattern)
	}
	return ok, nil
}
