package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"

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
	Role                string
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
	c.State, c.LastUpdateStatus = cmp.Or(c.State, "Active"), cmp.Or(c.LastUpdateStatus, "Successful")
	d := document{
		Configuration: c, EphemeralStorage: storage{c.EphemeralStorageMB}, Architectures: []string{c.Architecture}, LoggingConfig: logging{c.LogFormat, c.LogGroup},
		LastModified: c.LastModified.UTC().Format("2006-01-02T15:04:05.000-0700"), Role: "arn:aws:iam::000000000000:role/lab",
	}
	d.TracingConfig.Mode, d.SnapStart.ApplyOn, d.SnapStart.OptimizationStatus = "PassThrough", "None", "Off"
	if c.SnapStart {
		d.SnapStart.ApplyOn = "PublishedVersions"
	}
	if c.SnapStart && c.Version != Latest && c.State == "Active" {
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
	text, _ := json.Marshal(d) // text and numbers
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
	code := map[string]any{"RepositoryType": "S3"}
	if c.PackageType == "Image" {
		code["RepositoryType"] = "ECR"
	}
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
	if err := r.read(maxRequest, &asked); err != nil {
		return nil, err
	}
	current, err := s.backend.Function(r.name)
	if err == nil {
		err = dropped(asked, honoured, current)
	}
	if err != nil {
		return nil, err
	}
	var u Update
	if err := into(asked, &u); err != nil {
		return nil, err
	}
	if l := u.LoggingConfig; l != nil && (l.LogFormat != "Text" && l.LogFormat != "JSON" || l.LogGroup != "" && l.LogGroup != current.LogGroup ||
		cmp.Or(l.ApplicationLogLevel, l.SystemLogLevel, "INFO") != "INFO") {
		return nil, Invalid("the lab changes LoggingConfig.LogFormat, to Text or JSON, and not LogGroup or a level")
	}
	if u.Layers != nil && len(*u.Layers) > 0 && current.PackageType == "Image" {
		return nil, Invalid("Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.")
	}
	if err := u.check(); err != nil {
		return nil, err
	}
	if current.SnapStart && u.EphemeralStorage != nil && u.EphemeralStorage.Size > arm.MinTmpMB {
		return nil, Invalid(fmt.Sprintf("Ephemeral storage of more than %d MB is not supported for functions enabled with SnapStart: %s", arm.MinTmpMB, r.name))
	}
	c, err := s.backend.Update(r.Context(), r.name, u)
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
	if u.LoggingConfig != nil {
		c.LogFormat = u.LoggingConfig.LogFormat
	}
}

// Set sets what is given.
func Set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// into decodes the fields of a request.
func into(asked map[string]json.RawMessage, in any) error {
	text, _ := json.Marshal(asked) // as it came
	if err := json.Unmarshal(text, in); err != nil {
		return unparsable(err)
	}
	return nil
}

// check compares a change with Lambda's limits.
func (u Update) check() error {
	var tmp *int
	if u.EphemeralStorage != nil {
		tmp = &u.EphemeralStorage.Size
	}
	for _, bound := range []struct {
		name     string
		value    *int
		min, max int
	}{{"MemorySize", u.MemorySizeMB, arm.MinMemoryMB, arm.MaxMemoryMB}, {"Timeout", u.TimeoutSeconds, arm.MinTimeoutSeconds, arm.MaxTimeoutSeconds},
		{"EphemeralStorage.Size", tmp, arm.MinTmpMB, arm.MaxTmpMB}} {
		if bound.value != nil && (*bound.value < bound.min || *bound.value > bound.max) {
			return Unfit(fmt.Sprintf("%s %d is not between %d and %d", bound.name, *bound.value, bound.min, bound.max))
		}
	}
	return nil
}

// PreconditionFailed is the error for an update that names a revision other than the current one.
func PreconditionFailed() *Error {
	return &Error{Status: http.StatusPreconditionFailed, Code: "PreconditionFailedException",
		Message: "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to retrieve the latest RevisionId"}
}
