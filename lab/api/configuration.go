package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"

	"github.com/twinstart/twinstart/arm"
)

// document is a FunctionConfiguration in JSON.
// See https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html.
type document struct {
	FunctionName        string
	FunctionArn         string
	Description         string
	PackageType         string
	Runtime             string `json:",omitempty"`
	Handler             string `json:",omitempty"`
	MemorySize          int
	Timeout             int
	EphemeralStorage    struct{ Size int }
	Architectures       []string
	Environment         *environment         `json:",omitempty"`
	ImageConfigResponse *imageConfigResponse `json:",omitempty"`
	LoggingConfig       struct{ LogFormat, LogGroup string }
	CodeSize            int64
	CodeSha256          string
	Version             string
	RevisionID          string `json:"RevisionId"`
	LastModified        string
	Role                string
	State               string
	StateReason         string `json:",omitempty"`
	LastUpdateStatus    string
	TracingConfig       struct{ Mode string }
	SnapStart           struct{ ApplyOn, OptimizationStatus string }
	UpdateReason        string `json:"LastUpdateStatusReason,omitempty"`
}

type environment struct{ Variables map[string]string }

type imageConfigResponse struct{ ImageConfig ImageConfig }

func toDocument(c Configuration) any {
	d := document{
		FunctionName: c.Name, FunctionArn: c.ARN, Description: c.Description, PackageType: c.PackageType, Runtime: c.Runtime, Handler: c.Handler,
		MemorySize: c.MemorySizeMB, Timeout: c.TimeoutSeconds, Architectures: []string{c.Architecture}, CodeSize: c.CodeSize, CodeSha256: c.CodeSHA256,
		Version: c.Version, RevisionID: c.RevisionID, LastModified: c.LastModified.UTC().Format("2006-01-02T15:04:05.000-0700"),
		Role:  "arn:aws:iam::000000000000:role/lab",
		State: cmp.Or(c.State, "Active"), StateReason: c.StateReason,
		LastUpdateStatus: cmp.Or(c.LastUpdateStatus, "Successful"), UpdateReason: c.LastUpdateStatusReason,
	}
	d.TracingConfig.Mode, d.SnapStart.ApplyOn, d.SnapStart.OptimizationStatus = "PassThrough", "None", "Off"
	if c.SnapStart {
		d.SnapStart.ApplyOn = "PublishedVersions"
	}
	if c.SnapStart && c.Version != Latest && cmp.Or(c.State, "Active") == "Active" {
		d.SnapStart.OptimizationStatus = "On"
	}
	d.EphemeralStorage.Size = c.EphemeralStorageMB
	d.LoggingConfig.LogFormat, d.LoggingConfig.LogGroup = c.LogFormat, c.LogGroup
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
	name, err := functionName(r.PathValue("name"), r.query("Qualifier"))
	if err != nil {
		return c, err
	}
	return s.backend.Function(name)
}

// list returns the functions page by page. The marker is the name of the first function of the next page.
func (s server) list(r call) (any, error) {
	size := 50
	if text := r.query("MaxItems"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 10000 {
			return nil, Invalid("MaxItems must be 1 to 10000")
		}
		size = min(n, size)
	}
	page := struct {
		Functions  []any
		NextMarker string `json:",omitempty"`
	}{Functions: []any{}}
	for _, c := range s.backend.List() {
		if c.Name < r.query("Marker") {
			continue
		}
		if len(page.Functions) == size {
			page.NextMarker = c.Name
			break
		}
		page.Functions = append(page.Functions, toDocument(c))
	}
	return page, nil
}

func (s server) update(r call) (any, error) {
	var asked map[string]json.RawMessage
	if err := r.read(maxRequest, &asked); err != nil {
		return nil, err
	}
	current, err := s.backend.Function(r.name)
	if err == nil {
		err = dropped(asked, current)
	}
	if err != nil {
		return nil, err
	}
	var in struct {
		Description      *string
		Handler          *string
		MemorySize       *int
		Timeout          *int
		EphemeralStorage *struct{ Size int }
		Environment      *environment
		ImageConfig      *ImageConfig
		RevisionID       string `json:"RevisionId"`
	}
	if err := into(asked, &in); err != nil {
		return nil, err
	}
	u := Update{Description: in.Description, Handler: in.Handler, MemorySizeMB: in.MemorySize, TimeoutSeconds: in.Timeout, Image: in.ImageConfig, RevisionID: in.RevisionID}
	if in.EphemeralStorage != nil {
		u.EphemeralStorageMB = &in.EphemeralStorage.Size
	}
	if in.Environment != nil {
		u.Environment = &in.Environment.Variables
	}
	if err := u.check(); err != nil {
		return nil, err
	}
	if current.SnapStart && u.EphemeralStorageMB != nil && *u.EphemeralStorageMB > arm.MinTmpMB {
		return nil, Invalid(fmt.Sprintf("Ephemeral storage of more than %d MB is not supported for functions enabled with SnapStart: %s", arm.MinTmpMB, r.name))
	}
	c, err := s.backend.Update(r.Context(), r.name, u)
	return toDocument(c), err
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
	for _, bound := range []struct {
		name     string
		value    *int
		min, max int
	}{{"MemorySize", u.MemorySizeMB, arm.MinMemoryMB, arm.MaxMemoryMB}, {"Timeout", u.TimeoutSeconds, arm.MinTimeoutSeconds, arm.MaxTimeoutSeconds}, {"EphemeralStorage.Size", u.EphemeralStorageMB, arm.MinTmpMB, arm.MaxTmpMB}} {
		if bound.value != nil && (*bound.value < bound.min || *bound.value > bound.max) {
			return &Error{Status: http.StatusBadRequest, Code: "ValidationException", Message: fmt.Sprintf("1 validation error detected: %s %d is not between %d and %d", bound.name, *bound.value, bound.min, bound.max)}
		}
	}
	return nil
}

// PreconditionFailed is the error for an update that names a revision other than the current one.
func PreconditionFailed() *Error {
	return &Error{Status: http.StatusPreconditionFailed, Code: "PreconditionFailedException",
		Message: "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to retrieve the latest RevisionId"}
}
