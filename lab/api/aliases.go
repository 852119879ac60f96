package api

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
)

// Alias is AliasConfiguration.
// See https://docs.aws.amazon.com/lambda/latest/api/API_AliasConfiguration.html.
type Alias struct {
	ARN         string `json:"AliasArn"`
	Name        string
	Version     string `json:"FunctionVersion"`
	Description string
	RevisionID  string `json:"RevisionId"`
	// Routing is always empty: an alias of the lab names one version.
	Routing *struct{ AdditionalVersionWeights map[string]float64 } `json:"RoutingConfig,omitempty"`
}

// Aliases holds the aliases of one function for a Backend. Its methods are not safe for concurrent use.
type Aliases struct {
	ARN    string                    // of the function
	Exists func(version string) bool // reports whether the function has a version
	all    map[string]Alias
}

// List returns the aliases in the order of their names.
func (s *Aliases) List() []Alias {
	all := []Alias{}
	for _, name := range slices.Sorted(maps.Keys(s.all)) {
		all = append(all, s.all[name])
	}
	return all
}

// Version returns the version that a qualifier means: an alias's version, or the qualifier itself.
func (s *Aliases) Version(qualifier string) string {
	return cmp.Or(s.all[qualifier].Version, qualifier)
}

// Free returns an error if an alias names the version, because the version cannot be deleted then.
func (s *Aliases) Free(version string) error {
	for _, a := range s.all {
		if a.Version == version {
			return Conflict("Function is referenced by alias " + a.Name)
		}
	}
	return nil
}

func (s *Aliases) find(name string) (Alias, error) {
	a, ok := s.all[name]
	if !ok {
		return a, Absent("Cannot find alias arn: " + s.ARN + ":" + name)
	}
	return a, nil
}

func (s *Aliases) create(a Alias) (Alias, error) {
	if _, err := s.find(a.Name); err == nil {
		return a, Conflict("Alias already exists: " + a.Name)
	}
	return s.point(a)
}

// update changes version and description, except those that are "".
func (s *Aliases) update(a Alias) (Alias, error) {
	old, err := s.find(a.Name)
	if err != nil {
		return a, err
	}
	if a.RevisionID != "" && a.RevisionID != old.RevisionID {
		return a, PreconditionFailed()
	}
	a.Version, a.Description = cmp.Or(a.Version, old.Version), cmp.Or(a.Description, old.Description)
	return s.point(a)
}

// Point creates an alias or moves it to another version.
func (s *Aliases) Point(name, version string) error {
	_, err := s.point(Alias{Name: name, Version: version})
	return err
}

func (s *Aliases) point(a Alias) (Alias, error) {
	if a.Routing != nil && len(a.Routing.AdditionalVersionWeights) > 0 {
		return a, Invalid("the lab cannot honour RoutingConfig: all invocations of an alias go to one version")
	}
	a.Routing = nil
	if a.Version != Latest && !s.Exists(a.Version) {
		return a, Absent("Function not found: " + s.ARN + ":" + a.Version)
	}
	if s.all == nil {
		s.all = map[string]Alias{}
	}
	a.ARN, a.RevisionID = s.ARN+":"+a.Name, NewID()
	s.all[a.Name] = a
	return a, nil
}

// Absent is the error for something that does not exist.
func Absent(message string) *Error {
	return &Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: message}
}

// Conflict is the error for a change that the current state does not allow.
func Conflict(message string) *Error {
	return &Error{Status: http.StatusConflict, Code: "ResourceConflictException", Message: message}
}
