package api

import (
	"context"
	"slices"
	"strconv"

	"github.com/twinstart/twinstart/arm/list"
)

// Publisher keeps versions.
type Publisher interface {
	// Publish freezes $LATEST as a version. If nothing has changed since the last version, it returns that version.
	Publish(ctx context.Context, name string, p Publication) (Configuration, error)
	// Versions returns $LATEST and then all versions in ascending order.
	Versions(name string) ([]Configuration, error)
	// DeleteVersion deletes a version. Its running invocations continue.
	DeleteVersion(name, version string) error
}

// Publication is the request of PublishVersion.
type Publication struct {
	Description *string // if nil, the description of $LATEST
	CodeSHA256  string  `json:"CodeSha256"` // if not empty, the request fails unless $LATEST has this code
	RevisionID  string  `json:"RevisionId"` // if not empty, the request fails unless $LATEST has this revision
}

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
	return paged(r, "Versions", list.Map(all, toDocument), err)
}

// deleteFunction deletes a version, or the whole function if there is no Qualifier.
func (s server) deleteFunction(r call) (any, error) {
	version := r.query("Qualifier")
	_, err := s.backend.Function(r.name)
	d, deletes := s.backend.(Deployer)
	named := slices.IndexFunc(s.aliases.of(r.name), func(a alias) bool { return a.Version == version })
	switch {
	case err != nil:
	case version == "" && deletes:
		if err = d.Delete(r.name); err == nil {
			s.aliases.drop(r.name)
			s.urls.drop(r.name)
		}
	case !digits.MatchString(version):
		err = Invalid("Qualifier " + strconv.Quote(version) + " is not a version: only versions and whole functions can be deleted")
	case named >= 0:
		err = Conflict("Function is referenced by alias " + s.aliases.of(r.name)[named].Name)
	default:
		err = s.backend.DeleteVersion(r.name, version)
	}
	return nil, err
}

// list returns the functions.
func (s server) list(r call) (any, error) {
	return paged(r, "Functions", list.Map(s.backend.List(), toDocument), nil)
}

// paged returns a part of a list. The marker is the index of the first element of the next part.
func paged[T any](r call, key string, all []T, err error) (any, error) {
	size := 50
	if text := r.query("MaxItems"); text != "" && err == nil {
		if size, err = strconv.Atoi(text); err != nil || size < 1 || size > 10000 {
			err = Invalid("MaxItems must be 1 to 10000")
		}
	}
	if err != nil {
		return nil, err
	}
	at, _ := strconv.Atoi(r.query("Marker"))
	at = min(max(at, 0), len(all))
	end := min(at+min(size, 50), len(all))
	page := map[string]any{key: all[at:end]}
	if end < len(all) {
		page["NextMarker"] = strconv.Itoa(end)
	}
	return page, nil
}
