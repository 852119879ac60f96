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

// MarkerVariable is the environment variable that says that a function is being tuned, by whom, and what its memory was.
//
// It is set by the very call that changes the memory, so there is no moment at which the memory is another and nobody knows what it was.
// Whoever cleans up, be it another process after this one was killed, finds in it all that there is to restore. Published versions
// inherit it, which tells them from the user's own; and since it differs, PublishVersion never answers with one of those.
//
// Where the environment cannot be rewritten, because its key is out of reach or it is full, the marker stands before the description.
const MarkerVariable = "TWINSTART_TUNE"

// Marker is the content of MarkerVariable.
type Marker struct {
	ID     string `json:"id"`          // of the tuning
	Memory int    `json:"memory"`      // MB, before it
	N      int    `json:"n,omitempty"` // makes each version of a cold start another
}

// Lambda's limits of what a marker may stand in.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxEnvironment = 4096 // bytes of all names and values
	maxDescription = 256  // characters
	markerRoom     = 256  // bytes of a marker in the environment, at most
)

func (m Marker) String() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // text and numbers
	}
	return string(b)
}

// described is a marker before a description.
var described = regexp.MustCompile(`(?s)^twinstart-tune (\S+) ([0-9]+) ([0-9]+): ?(.*)$`)

// markerOf reads the marker of a configuration, if it has one.
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

// fixed says that a function's environment cannot be rewritten.
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

// mark adds to an update that the function has a marker from then on, nil for none.
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

// why is the reason of fixed.
func why(e *types.EnvironmentResponse) string {
	if e.Error != nil {
		return aws.ToString(e.Error.ErrorCode)
	}
	return fmt.Sprintf("it is full: %d bytes are allowed", maxEnvironment)
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
