package power

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"regexp"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/twinstart/twinstart/bench/measure"
)

// MarkerVariable is the environment variable that says that a function is being tuned, by whom, and which memory it
// had before.
//
// The call that changes the memory sets it, so the old memory is known at every moment. Whoever cleans up, even
// another process after this one was killed, finds everything that must be restored. Published versions inherit the
// variable, which tells them apart from the user's own versions. Because its value differs, PublishVersion never
// returns one of those.
//
// If the environment cannot be rewritten, because its key is out of reach or it is full, the marker is put before
// the description.
const MarkerVariable = "TWINSTART_TUNE"

// Marker is the value of MarkerVariable.
type Marker struct {
	ID     string `json:"id"`          // of the tuning
	Memory int    `json:"memory"`      // MB, before it
	N      int    `json:"n,omitempty"` // makes each version for a cold start different
}

// Limits of Lambda for the places of a marker.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxEnvironment = 4096 // bytes of all names and values
	maxDescription = 256  // characters
	markerRoom     = 256  // most bytes of a marker in the environment
)

func (m Marker) String() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // text and numbers
	}
	return string(b)
}

// described matches a description that starts with a marker.
var described = regexp.MustCompile(`(?s)^twinstart-tune (\S+) ([0-9]+) ([0-9]+): ?(.*)$`)

// markerOf returns the marker of a configuration, if it has one.
func markerOf(e *types.EnvironmentResponse, description *string) (m Marker, ok bool) {
	if e != nil && json.Unmarshal([]byte(e.Variables[MarkerVariable]), &m) == nil && m.ID != "" {
		return m, true
	}
	if found := described.FindStringSubmatch(aws.ToString(description)); found != nil {
		m.ID = found[1]
		m.Memory, _ = strconv.Atoi(found[2])
		m.N, _ = strconv.Atoi(found[3])
		return m, true
	}
	return Marker{}, false
}

// fixed reports whether a function's environment cannot be rewritten.
func fixed(e *types.EnvironmentResponse) bool {
	if e == nil {
		return false
	}
	size := 0
	for name, value := range e.Variables {
		if name != MarkerVariable {
			size += len(name) + len(value)
		}
	}
	return e.Error != nil || size+markerRoom > maxEnvironment
}

// mark adds a marker to an update, or removes it if m is nil.
func mark(in *lambda.UpdateFunctionConfigurationInput, base *measure.Config, m *Marker) error {
	text := aws.ToString(base.Description)
	if found := described.FindStringSubmatch(text); found != nil {
		text = found[4]
		in.Description = &text
	}
	if fixed(base.Environment) {
		if m != nil {
			text = fmt.Sprintf("twinstart-tune %s %d %d: %s", m.ID, m.Memory, m.N, text)
			if len(text) > maxDescription {
				return fmt.Errorf("the environment of %s cannot be rewritten (%s), and its description leaves no room for the mark of a tuning: shorten it, or allow kms:Decrypt and kms:Encrypt",
					aws.ToString(base.FunctionName), why(base.Environment))
			}
		}
		in.Description = &text
		return nil
	}
	variables := map[string]string{}
	if base.Environment != nil {
		maps.Copy(variables, base.Environment.Variables)
	}
	_, marked := variables[MarkerVariable]
	delete(variables, MarkerVariable)
	if m != nil {
		variables[MarkerVariable] = m.String()
	}
	if m != nil || marked {
		in.Environment = &types.Environment{Variables: variables}
	}
	return nil
}

// why returns the reason for fixed.
func why(e *types.EnvironmentResponse) string {
	if e.Error != nil {
		return aws.ToString(e.Error.ErrorCode)
	}
	return fmt.Sprintf("it is full: %d bytes are allowed", maxEnvironment)
}

// aliasNames is the start of the names of all aliases that tunings make.
const aliasNames = "twinstart-tune-"

// aliasPrefix returns the start of the names of one tuning's aliases. It is a hash, because an ID may have
// characters that an alias's name must not have.
func aliasPrefix(id string) string {
	h := fnv.New64a()
	h.Write([]byte(id))
	return aliasNames + strconv.FormatUint(h.Sum64(), 36) + "-"
}

// alias returns the name of a power value's alias.
func alias(id string, power int) string { return aliasPrefix(id) + strconv.Itoa(power) + "MB" }
