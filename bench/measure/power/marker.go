package power

import (
	"encoding/json"
	"hash/fnv"
	"maps"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// MarkerVariable is the environment variable that says that a function is being tuned, by whom, and what its memory was.
//
// It is set by the very call that changes the memory, so there is no moment at which the memory is another and nobody knows what it was.
// Whoever cleans up, be it another process after this one was killed, finds in it all that there is to restore. Published versions
// inherit it, which tells them from the user's own; and since it differs, PublishVersion never answers with one of those.
const MarkerVariable = "TWINSTART_TUNE"

// Marker is the content of MarkerVariable.
type Marker struct {
	ID     string `json:"id"`          // of the tuning
	Memory int    `json:"memory"`      // MB, before it
	N      int    `json:"n,omitempty"` // makes each version of a cold start another
}

func (m Marker) String() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // text and numbers
	}
	return string(b)
}

// markerOf reads the marker of a configuration, if it has one.
func markerOf(e *types.EnvironmentResponse) (m Marker, ok bool) {
	if e == nil || json.Unmarshal([]byte(e.Variables[MarkerVariable]), &m) != nil {
		return Marker{}, false
	}
	return m, m.ID != ""
}

// with is the environment with a marker, nil without.
func with(e *types.EnvironmentResponse, m *Marker) *types.Environment {
	variables := map[string]string{}
	if e != nil {
		maps.Copy(variables, e.Variables)
	}
	delete(variables, MarkerVariable)
	if m != nil {
		variables[MarkerVariable] = m.String()
	}
	return &types.Environment{Variables: variables}
}

// aliasNames begins the names of all aliases that tunings make.
const aliasNames = "twinstart-tune-"

// aliasPrefix begins the names of a tuning's aliases. An ID may hold what an alias's name may not.
func aliasPrefix(id string) string {
	h := fnv.New64a()
	h.Write([]byte(id))
	return aliasNames + strconv.FormatUint(h.Sum64(), 36) + "-"
}

// alias is the alias of a power value.
func alias(id string, power int) string { return aliasPrefix(id) + strconv.Itoa(power) + "MB" }
