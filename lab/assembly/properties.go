package assembly

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// properties are the properties of an AWS::Lambda::Function that this package reads. A property that may be an
// intrinsic function has type any.
type properties struct {
	FunctionName, Description, Role, Handler any
	PackageType                              PackageType
	Runtime                                  string
	Code                                     struct{ S3Key, ImageURI, ZipFile any }
	Timeout, MemorySize                      number
	Architectures                            []string
	SnapStart                                struct{ ApplyOn string }
	EphemeralStorage                         struct{ Size number }
	ReservedConcurrentExecutions             *number
	Environment                              struct{ Variables map[string]any }
	ImageConfig                              ImageConfig
	Layers                                   []any
	LoggingConfig                            struct {
		LogGroup  any
		LogFormat LogFormat
	}
}

// read lists the properties above, and Tags, which make no difference in the lab.
var read = strings.Fields(`FunctionName Description PackageType Runtime Handler Code Timeout MemorySize Tags Role
	Architectures EphemeralStorage SnapStart ReservedConcurrentExecutions Environment ImageConfig Layers LoggingConfig`)

// ignored returns the properties that this package does not read.
func ignored(properties json.RawMessage) (names []string) {
	var all map[string]json.RawMessage
	if json.Unmarshal(properties, &all) != nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(read, name) {
			names = append(names, name)
		}
	}
	var logging map[string]any
	if json.Unmarshal(all["LoggingConfig"], &logging) == nil {
		for _, name := range []string{"ApplicationLogLevel", "SystemLogLevel"} { // the lab logs as with INFO, the default
			if level, ok := logging[name]; ok && level != "INFO" {
				names = append(names, "LoggingConfig."+name)
			}
		}
	}
	return names
}

// number is an integer. CloudFormation also accepts it as a string.
type number int

func (n *number) UnmarshalJSON(text []byte) error {
	var i int
	if err := json.Unmarshal([]byte(strings.Trim(string(text), `"`)), &i); err != nil {
		return fmt.Errorf("%s is not a whole number", text)
	}
	*n = number(i)
	return nil
}
