package arm

import (
	"fmt"
	"path"
	"strings"
)

// Match reports whether a pattern selects an arm. The pattern is a glob of path.Match over the arm's ID, so * does
// not match a slash: "rawtcp*/zip". A pattern without a slash is compared with the bootstrap's name alone, or with
// the whole ID if the ID has no slash.
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
