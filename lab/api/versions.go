package api

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twinstart/twinstart/arm/list"
)

// Publication is the request of PublishVersion.
type Publication struct {
	Description *string // if nil, the description of $LATEST
	CodeSHA256  string  `json:"CodeSha256"` // if not empty, the request fails unless $LATEST has this code
	RevisionID  string  `json:"RevisionId"` // if not empty, the request fails unless $LATEST has this revision
}

// Versions numbers the versions of a function.
type Versions struct {
	last   int
	frozen *Configuration // of $LATEST when the last version was published; nil if that version is deleted
}

// Publish returns the version that freezes $LATEST. isNew is false if nothing has changed since the last version; that
// version is then the answer. A description in the request does not count as a change.
func (v *Versions) Publish(latest Configuration, p Publication) (version Configuration, isNew bool, err error) {
	switch {
	case p.RevisionID != "" && p.RevisionID != latest.RevisionID:
		return version, false, PreconditionFailed()
	case p.CodeSHA256 != "" && p.CodeSHA256 != latest.CodeSHA256:
		return version, false, Invalid("CodeSha256 (" + p.CodeSHA256 + ") is different from current CodeSha256 in $LATEST (" +
			latest.CodeSHA256 + ")")
	}
	now := latest
	now.RevisionID, now.LastModified, now.ReservedConcurrency = "", time.Time{}, nil
	if len(now.Environment) == 0 {
		now.Environment = nil
	}
	if v.frozen != nil && reflect.DeepEqual(now, *v.frozen) {
		return version, false, nil
	}
	v.last++
	v.frozen = &now
	version = latest
	version.Version, version.Environment = strconv.Itoa(v.last), maps.Clone(latest.Environment)
	version.ARN += ":" + version.Version
	Set(&version.Description, p.Description)
	return version, true, nil
}

// Delete notes that a version is deleted. If it is the last one, the next publication is a new version.
func (v *Versions) Delete(version string) {
	if version == strconv.Itoa(v.last) {
		v.frozen = nil
	}
}

func (s server) publish(r call) (any, error) {
	var p Publication
	if err := r.read(maxRequest, &p); err != nil {
		return nil, err
	}
	c, err := s.backend.Publish(r.name, p)
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
		err = Invalid("Qualifier " + strconv.Quote(version) + " is not a version: " +
			"only versions and whole functions can be deleted")
	case named >= 0:
		err = Conflict("Function is referenced by alias " + s.aliases.of(r.name)[named].Name)
	default:
		err = s.backend.DeleteVersion(r.name, version)
	}
	return nil, err
}

func (s server) list(r call) (any, error) {
	all := s.backend.List()
	slices.SortFunc(all, func(a, b Configuration) int { return strings.Compare(a.Name, b.Name) })
	return paged(r, "Functions", list.Map(all, toDocument), nil)
}

// paged returns one page of a list. The marker is the index of the first element of the next page.
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
