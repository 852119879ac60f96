package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/twinstart/twinstart/arm"
)

// document is a FunctionConfiguration in JSON.
// See https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html.
type document struct {
	Configuration
	EphemeralStorage    storage
	Architectures       []string
	Environment         *environment         `json:",omitempty"`
	ImageConfigResponse *imageConfigResponse `json:",omitempty"`
	LoggingConfig       logging
	Layers              []layer `json:",omitempty"`
	LastModified        string
	TracingConfig       struct{ Mode string }
	SnapStart           struct{ ApplyOn, OptimizationStatus string }
}

type (
	storage             struct{ Size int }
	environment         struct{ Variables map[string]string }
	imageConfigResponse struct{ ImageConfig ImageConfig }
	logging             struct{ LogFormat, LogGroup string }
	layer               struct{ Arn string } // as AWS spells it
)

func toDocument(c Configuration) any {
	c.State, c.LastUpdateStatus = cmp.Or(c.State, Active), cmp.Or(c.LastUpdateStatus, "Successful")
	c.Role = cmp.Or(c.Role, "arn:aws:iam::000000000000:role/lab")
	d := document{
		Configuration: c, EphemeralStorage: storage{c.EphemeralStorageMB}, Architectures: []string{c.Architecture},
		LoggingConfig: logging{c.LogFormat, c.LogGroup},
		LastModified:  c.LastModified.UTC().Format("2006-01-02T15:04:05.000-0700"),
	}
	d.TracingConfig.Mode, d.SnapStart.ApplyOn, d.SnapStart.OptimizationStatus = "PassThrough", "None", "Off"
	if c.SnapStart {
		d.SnapStart.ApplyOn = "PublishedVersions"
	}
	if c.SnapStart && c.Version != Latest && c.State == Active {
		d.SnapStart.OptimizationStatus = "On"
	}
	for _, arn := range c.Layers {
		d.Layers = append(d.Layers, layer{arn})
	}
	if len(c.Environment) > 0 {
		d.Environment = &environment{c.Environment}
	}
	if c.PackageType == "Image" {
		d.ImageConfigResponse = &imageConfigResponse{c.Image}
	}
	if len(c.Extra) == 0 {
		return d
	}
	text, _ := json.Marshal(d) // text and numbers: it cannot fail
	all := map[string]any{}
	_ = json.Unmarshal(text, &all)
	maps.Copy(all, c.Extra)
	return all
}

func (s server) configuration(r call) (any, error) {
	c, err := s.find(r)
	return toDocument(c), err
}

func (s server) function(r call) (any, error) {
	c, err := s.find(r)
	code := map[string]any{"RepositoryType": map[bool]string{true: "ECR", false: "S3"}[c.PackageType == "Image"]}
	maps.Copy(code, c.Code)
	answer := map[string]any{"Configuration": toDocument(c), "Code": code, "Tags": map[string]string{}}
	if c.ReservedConcurrency != nil {
		answer["Concurrency"] = map[string]int{"ReservedConcurrentExecutions": *c.ReservedConcurrency}
	}
	return answer, err
}

// find returns the function of a request, which may name a version or an alias.
func (s server) find(r call) (c Configuration, err error) {
	_, of, err := s.named(r.PathValue("name"), r.query("Qualifier"))
	if err != nil {
		return c, err
	}
	return s.backend.Function(of)
}

func (s server) update(r call) (any, error) {
	var asked map[string]json.RawMessage
	var u Update
	if err := r.read(maxRequest, &asked, &u); err != nil {
		return nil, err
	}
	current, err := s.backend.Function(r.name)
	if err == nil {
		err = dropped(asked, honoured, current)
	}
	if err != nil {
		return nil, err
	}
	if (u.Handler != nil || u.Layers != nil && len(*u.Layers) > 0) && current.PackageType == "Image" {
		return nil, errImage
	}
	if err := u.check(current); err != nil {
		return nil, err
	}
	if current.SnapStart && u.EphemeralStorage != nil && u.EphemeralStorage.Size > arm.MinTmpMB {
		return nil, Invalid(fmt.Sprintf("Ephemeral storage of more than %d MB is not supported "+
			"for functions enabled with SnapStart: %s", arm.MinTmpMB, r.name))
	}
	c, err := s.backend.Update(r.name, u)
	return toDocument(c), err
}

// Update is the request of UpdateFunctionConfiguration. A nil field is not changed.
type Update struct {
	Description      *string
	Handler          *string
	MemorySizeMB     *int `json:"MemorySize"`
	TimeoutSeconds   *int `json:"Timeout"`
	EphemeralStorage *storage
	Environment      *environment
	Image            *ImageConfig `json:"ImageConfig"`
	LoggingConfig    *struct{ LogFormat, LogGroup, ApplicationLogLevel, SystemLogLevel string }
	Layers           *[]string // ARNs
	RevisionID       string    `json:"RevisionId"` // if not empty, the update fails unless this is the current revision
}

// Apply makes the changes.
func (u Update) Apply(c *Configuration) {
	Set(&c.Description, u.Description)
	Set(&c.Handler, u.Handler)
	Set(&c.MemorySizeMB, u.MemorySizeMB)
	Set(&c.TimeoutSeconds, u.TimeoutSeconds)
	Set(&c.Image, u.Image)
	Set(&c.Layers, u.Layers)
	if u.EphemeralStorage != nil {
		c.EphemeralStorageMB = u.EphemeralStorage.Size
	}
	if u.Environment != nil {
		c.Environment = u.Environment.Variables
	}
	if l := u.LoggingConfig; l != nil {
		c.LogFormat, c.LogGroup = cmp.Or(l.LogFormat, c.LogFormat), cmp.Or(l.LogGroup, c.LogGroup)
	}
}

// Set sets a value if there is a new one.
func Set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// check checks a change by Lambda's limits, and by what the lab can do.
func (u Update) check(current Configuration) error {
	var tmp *int
	if u.EphemeralStorage != nil {
		tmp = &u.EphemeralStorage.Size
	}
	for _, bound := range []struct {
		name     string
		value    *int
		min, max int
	}{
		{"MemorySize", u.MemorySizeMB, arm.MinMemoryMB, arm.MaxMemoryMB},
		{"Timeout", u.TimeoutSeconds, arm.MinTimeoutSeconds, arm.MaxTimeoutSeconds},
		{"EphemeralStorage.Size", tmp, arm.MinTmpMB, arm.MaxTmpMB},
	} {
		if bound.value != nil && (*bound.value < bound.min || *bound.value > bound.max) {
			return Unfit(fmt.Sprintf("%s %d is not between %d and %d", bound.name, *bound.value, bound.min, bound.max))
		}
	}
	if l := u.LoggingConfig; l != nil && (l.LogFormat != "" && l.LogFormat != "Text" && l.LogFormat != "JSON" ||
		cmp.Or(l.LogGroup, current.LogGroup) != current.LogGroup ||
		cmp.Or(l.ApplicationLogLevel, "INFO") != "INFO" || cmp.Or(l.SystemLogLevel, "INFO") != "INFO") {
		return Invalid("the lab can set LoggingConfig.LogFormat to Text or JSON; it cannot change LogGroup or a level")
	}
	if u.Environment != nil {
		return CheckVariables(u.Environment.Variables)
	}
	return nil
}

// PreconditionFailed is the error for an update that names a revision other than the current one.
func PreconditionFailed() *Error {
	return NewError(http.StatusPreconditionFailed, "PreconditionFailedException",
		"The RevisionId provided does not match the latest RevisionId. "+
			"Call the GetFunction/GetAlias API to retrieve the latest RevisionId")
}

// CheckVariables checks a function's environment variables by Lambda's rules.
func CheckVariables(v map[string]string) error {
	const unable = "Lambda was unable to configure your environment variables " +
		"because the environment variables you have provided "
	size := 0
	for _, name := range slices.Sorted(maps.Keys(v)) {
		value := v[name]
		switch {
		case slices.Contains(arm.ReservedVariables, name):
			return Invalid(unable + "contains reserved keys that are currently not supported for modification. " +
				"Reserved keys used in this request: " + name)
		case !arm.VariableName.MatchString(name):
			return Unfit("Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: " +
				"[Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]: " + strconv.Quote(name))
		case strings.ContainsRune(value, 0):
			return Invalid("environment variable " + name + ": a value must not contain NUL")
		}
		size += len(name) + len(value)
	}
	if size > arm.MaxVariables {
		return Invalid(unable + "exceeded the 4KB limit")
	}
	return nil
}
