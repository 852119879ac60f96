package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
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

// target returns the function that a request is about. The request must not name a version.
func target(w http.ResponseWriter, r *http.Request) (name string, ok bool) {
	name, err := functionName(r.PathValue("name"), "")
	if err != nil {
		Fail(w, err)
		return "", false
	}
	return name, true
}

// read decodes a request's body.
func read(w http.ResponseWriter, r *http.Request, into any) bool { return readUpTo(1<<20, w, r, into) }

func readUpTo(limit int64, w http.ResponseWriter, r *http.Request, into any) bool {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit)).Decode(into)
	var large *http.MaxBytesError
	switch {
	case err == nil || err == io.EOF:
		return true
	case errors.As(err, &large):
		Fail(w, &Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestEntityTooLargeException", Message: fmt.Sprintf("Request must be smaller than %d bytes", limit)})
	default:
		Fail(w, unparsable(err))
	}
	return false
}

func unparsable(err error) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidRequestContentException", Message: "Could not parse request body into json: " + err.Error()}
}

func (s server) publish(w http.ResponseWriter, r *http.Request) {
	var p Publication
	name, ok := target(w, r)
	if !ok || !read(w, r, &p) {
		return
	}
	c, err := s.backend.Publish(r.Context(), name, p)
	if err != nil {
		Fail(w, err)
		return
	}
	created(w, toDocument(c))
}

func (s server) versions(w http.ResponseWriter, r *http.Request) {
	name, ok := target(w, r)
	if !ok {
		return
	}
	all, err := s.backend.Versions(name)
	if err != nil {
		Fail(w, err)
		return
	}
	documents := make([]any, len(all))
	for i, c := range all {
		documents[i] = toDocument(c)
	}
	paged(w, r, "Versions", documents)
}

// deleteFunction deletes a version, or the whole function if there is no Qualifier.
func (s server) deleteFunction(w http.ResponseWriter, r *http.Request) {
	version := r.URL.Query().Get("Qualifier")
	name, ok := target(w, r)
	if !ok {
		return
	}
	_, err := s.backend.Function(name)
	d, deletes := s.backend.(Deployer)
	switch {
	case err != nil:
	case version == "" && deletes:
		err = d.Delete(name)
	case !digits.MatchString(version):
		err = Invalid("Qualifier " + strconv.Quote(version) + " is not a version: only versions and whole functions can be deleted")
	default:
		err = s.backend.DeleteVersion(name, version)
	}
	if err != nil {
		Fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s server) aliases(w http.ResponseWriter, r *http.Request) {
	all := []Alias{}
	if !s.withAliases(w, r, func(of *Aliases) error {
		for _, a := range of.List() {
			if version := r.URL.Query().Get("FunctionVersion"); version == "" || version == a.Version {
				all = append(all, a)
			}
		}
		return nil
	}) {
		return
	}
	paged(w, r, "Aliases", all)
}

// withAliases calls do with the aliases of the requested function. It returns false if it has answered with an
// error.
func (s server) withAliases(w http.ResponseWriter, r *http.Request, do func(*Aliases) error) bool {
	name, ok := target(w, r)
	if !ok {
		return false
	}
	if err := s.backend.Aliases(name, do); err != nil {
		Fail(w, err)
		return false
	}
	return true
}

func (s server) alias(w http.ResponseWriter, r *http.Request) {
	var a Alias
	if s.withAliases(w, r, func(of *Aliases) (err error) { a, err = of.find(r.PathValue("alias")); return err }) {
		respond(w, a)
	}
}

func (s server) createAlias(w http.ResponseWriter, r *http.Request) {
	var a Alias
	if !read(w, r, &a) {
		return
	}
	if !aliasName.MatchString(a.Name) || digits.MatchString(a.Name) {
		Fail(w, Invalid("Name "+strconv.Quote(a.Name)+" is not a valid alias name: use letters, digits, - and _, and at least one non-digit"))
		return
	}
	if s.withAliases(w, r, func(of *Aliases) (err error) { a, err = of.create(a); return err }) {
		created(w, a)
	}
}

func (s server) updateAlias(w http.ResponseWriter, r *http.Request) {
	var a Alias
	if !read(w, r, &a) {
		return
	}
	a.Name = r.PathValue("alias")
	if s.withAliases(w, r, func(of *Aliases) (err error) { a, err = of.update(a); return err }) {
		respond(w, a)
	}
}

// deleteAlias succeeds if there is no such alias, as on AWS.
func (s server) deleteAlias(w http.ResponseWriter, r *http.Request) {
	if s.withAliases(w, r, func(of *Aliases) error { delete(of.all, r.PathValue("alias")); return nil }) {
		w.WriteHeader(http.StatusNoContent)
	}
}

// created answers with status 201.
func created(w http.ResponseWriter, v any) { reply(w, http.StatusCreated, v) }

// paged answers with a part of a list. The marker is the index of the first element of the next part.
func paged[T any](w http.ResponseWriter, r *http.Request, key string, all []T) {
	at, _ := strconv.Atoi(r.URL.Query().Get("Marker"))
	size, err := strconv.Atoi(r.URL.Query().Get("MaxItems"))
	if err != nil || size < 1 || size > 50 {
		size = 50
	}
	at = min(max(at, 0), len(all))
	end := min(at+size, len(all))
	page := map[string]any{key: all[at:end]}
	if end < len(all) {
		page["NextMarker"] = strconv.Itoa(end)
	}
	respond(w, page)
}
