package api

import (
	"context"
	"regexp"
	"strconv"
)

// Publisher keeps versions and aliases.
type Publisher interface {
	// Publish freezes $LATEST as a version. If nothing has changed since the last version, it returns that version.
	Publish(ctx context.Context, name string, p Publication) (Configuration, error)
	// Versions returns $LATEST and then all versions in ascending order.
	Versions(name string) ([]Configuration, error)
	// DeleteVersion deletes a version that no alias names. Its running invocations continue.
	DeleteVersion(name, version string) error
	// Aliases calls do with a function's aliases, while no other caller uses them.
	Aliases(name string, do func(*Aliases) error) error
}

// Publication is the request of PublishVersion.
type Publication struct {
	Description *string // if nil, the description of $LATEST
	CodeSHA256  string  `json:"CodeSha256"` // if not empty, the request fails unless $LATEST has this code
	RevisionID  string  `json:"RevisionId"` // if not empty, the request fails unless $LATEST has this revision
}

var aliasName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
var digits = regexp.MustCompile(`^[0-9]+$`)

func (s server) publish(r call) (any, error) {
	var p Publication
	if err := r.read(maxRequest, &p); err != nil {
		return nil, err
	}
	c, err := s.backend.Publish(r.Context(), r.name, p)
	return toDocument(c), err
}

func (s server) versions(r call) (any, error) {
	all, err := s.backend.Versions(r.name)
	documents := make([]any, len(all))
	for i, c := range all {
		documents[i] = toDocument(c)
	}
	return paged(r, "Versions", documents), err
}

// deleteFunction deletes a version, or the whole function if there is no Qualifier.
func (s server) deleteFunction(r call) (any, error) {
	version := r.query("Qualifier")
	_, err := s.backend.Function(r.name)
	d, deletes := s.backend.(Deployer)
	switch {
	case err != nil:
	case version == "" && deletes:
		err = d.Delete(r.name)
	case !digits.MatchString(version):
		err = Invalid("Qualifier " + strconv.Quote(version) + " is not a version: only versions and whole functions can be deleted")
	default:
		err = s.backend.DeleteVersion(r.name, version)
	}
	return nil, err
}

func (s server) aliases(r call) (any, error) {
	all := []Alias{}
	err := s.backend.Aliases(r.name, func(of *Aliases) error {
		for _, a := range of.List() {
			if version := r.query("FunctionVersion"); version == "" || version == a.Version {
				all = append(all, a)
			}
		}
		return nil
	})
	return paged(r, "Aliases", all), err
}

func (s server) alias(r call) (a any, err error) {
	err = s.backend.Aliases(r.name, func(of *Aliases) (err error) { a, err = of.find(r.PathValue("alias")); return err })
	return a, err
}

func (s server) createAlias(r call) (any, error) {
	var a Alias
	err := r.read(maxRequest, &a)
	if err == nil && (!aliasName.MatchString(a.Name) || digits.MatchString(a.Name)) {
		err = Invalid("Name " + strconv.Quote(a.Name) + " is not a valid alias name: use letters, digits, - and _, and at least one non-digit")
	}
	if err == nil {
		err = s.backend.Aliases(r.name, func(of *Aliases) (err error) { a, err = of.create(a); return err })
	}
	return a, err
}

func (s server) updateAlias(r call) (any, error) {
	var a Alias
	err := r.read(maxRequest, &a)
	if a.Name = r.PathValue("alias"); err == nil {
		err = s.backend.Aliases(r.name, func(of *Aliases) (err error) { a, err = of.update(a); return err })
	}
	return a, err
}

// deleteAlias succeeds if there is no such alias, as on AWS.
func (s server) deleteAlias(r call) (any, error) {
	return nil, s.backend.Aliases(r.name, func(of *Aliases) error { delete(of.all, r.PathValue("alias")); return nil })
}

// paged returns a part of a list. The marker is the index of the first element of the next part.
func paged[T any](r call, key string, all []T) map[string]any {
	at, _ := strconv.Atoi(r.query("Marker"))
	size, err := strconv.Atoi(r.query("MaxItems"))
	if err != nil || size < 1 || size > 50 {
		size = 50
	}
	at = min(max(at, 0), len(all))
	end := min(at+size, len(all))
	page := map[string]any{key: all[at:end]}
	if end < len(all) {
		page["NextMarker"] = strconv.Itoa(end)
	}
	return page
}
