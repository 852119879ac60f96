package api

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"github.com/twinstart/twinstart/arm"
)

// alias is AliasConfiguration.
// See https://docs.aws.amazon.com/lambda/latest/api/API_AliasConfiguration.html.
type alias struct {
	ARN         string `json:"AliasArn"`
	Name        string
	Version     string `json:"FunctionVersion"`
	Description string
	RevisionID  string `json:"RevisionId"`
	// Routing is refused unless it is empty: an alias of the lab names one version.
	Routing *struct{ AdditionalVersionWeights map[string]float64 } `json:"RoutingConfig,omitempty"`
}

var digits = regexp.MustCompile(`^[0-9]+$`)

func (s server) aliasRoutes(m routes) {
	const path = prefix + "/{name}/aliases"
	m.on("POST "+path, http.StatusCreated, s.alias)
	m.on("GET "+path+"/{alias}", http.StatusOK, s.alias)
	m.on("PUT "+path+"/{alias}", http.StatusOK, s.alias)
	m.on("DELETE "+path+"/{alias}", http.StatusNoContent, s.alias)
	m.on("GET "+path, http.StatusOK, func(r call) (any, error) {
		_, err := s.backend.Function(r.name)
		version := r.query("FunctionVersion")
		all := slices.DeleteFunc(s.aliases.of(r.name), func(a alias) bool { return version != "" && a.Version != version })
		return paged(r, "Aliases", all, err)
	})
}

// alias creates, returns, changes or deletes an alias.
func (s server) alias(r call) (any, error) {
	var in alias
	if err := r.read(maxRequest, &in); err != nil {
		return nil, err
	}
	in.Name = cmp.Or(r.PathValue("alias"), in.Name)
	function, err := s.backend.Function(r.name)
	switch {
	case err != nil:
		return nil, err
	case r.Method == http.MethodPost && !arm.IsAlias(in.Name):
		return nil, Invalid("Name " + strconv.Quote(in.Name) + " is not a valid alias name: " +
			"use letters, digits, - and _, and at least one non-digit")
	case in.Routing != nil && len(in.Routing.AdditionalVersionWeights) > 0:
		return nil, Invalid("the lab has no RoutingConfig: all invocations of an alias go to one version")
	}
	made, err := s.aliases.change(r.Method, r.name+":"+in.Name, func(before alias) (alias, error) {
		if in.RevisionID != "" && before.RevisionID != "" && in.RevisionID != before.RevisionID {
			return before, PreconditionFailed()
		}
		made := alias{ARN: function.ARN + ":" + in.Name, Name: in.Name, RevisionID: NewID(),
			Version: cmp.Or(in.Version, before.Version), Description: cmp.Or(in.Description, before.Description)}
		_, err := s.backend.Function(reference(r.name, made.Version))
		return made, err
	})
	if r.Method == http.MethodDelete { // as on AWS, this succeeds even if there is no such alias
		return nil, nil
	}
	return made, err
}

// reference returns the name that a Backend takes for a version of a function.
func reference(name, version string) string {
	if version == "" || version == Latest {
		return name
	}
	return name + ":" + version
}
