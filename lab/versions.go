package lab

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
)

// versions are the published versions of a function, and the aliases that name them.
type versions struct {
	mu      sync.Mutex
	last    int         // number of the last version
	all     []*function // ascending
	aliases map[string]api.Alias
}

// version is the function that a qualifier means: a version has environments of its own and shares the package.
func (f *function) version(qualifier string) (*function, error) {
	if qualifier == "" || qualifier == api.Latest {
		return f, nil
	}
	f.published.mu.Lock()
	defer f.published.mu.Unlock()
	number := qualifier
	if a, ok := f.published.aliases[qualifier]; ok {
		number = a.Version
	}
	if number == api.Latest {
		return f, nil
	}
	if v := f.published.find(number); v != nil {
		return v, nil
	}
	return nil, absent("Function not found: " + f.source.Name() + ":" + qualifier)
}

func (v *versions) find(number string) *function {
	i := slices.IndexFunc(v.all, func(f *function) bool { return f.config.Version == number })
	if i < 0 {
		return nil
	}
	return v.all[i]
}

// retire ends the environments of every version.
func (v *versions) retire() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, f := range v.all {
		f.retire()
	}
}

// withdraw takes a version out of use; what runs on it ends as it would.
func (f *function) withdraw() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for _, e := range f.drop() {
		e.close()
	}
}

// Publish freezes $LATEST as a version.
func (l *Lab) Publish(_ context.Context, name string, p api.Publication) (api.Configuration, error) {
	f, err := l.latest(name)
	if err != nil {
		return api.Configuration{}, err
	}
	f.updating.Lock() // no update half-way
	defer f.updating.Unlock()
	c := f.configuration()
	switch {
	case p.RevisionID != "" && p.RevisionID != c.RevisionID:
		return api.Configuration{}, api.PreconditionFailed()
	case p.CodeSHA256 != "" && p.CodeSHA256 != c.CodeSHA256:
		return api.Configuration{}, api.Invalid("CodeSha256 (" + p.CodeSHA256 + ") is different from current CodeSha256 in $LATEST (" + c.CodeSHA256 + ")")
	}
	v := &f.published
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.all) > 0 {
		if last := v.all[len(v.all)-1]; last.config.Version == strconv.Itoa(v.last) && same(last.config, c) {
			return last.configuration(), nil
		}
	}
	v.last++
	c.Version = strconv.Itoa(v.last)
	c.ARN, c.RevisionID, c.LastModified = c.ARN+":"+c.Version, api.NewID(), time.Now()
	set(&c.Description, p.Description)
	version := &function{lab: f.lab, source: f.source, code: f.code, reserved: f.reserved, busy: map[*environment]bool{}, config: c}
	v.all = append(v.all, version)
	return version.configuration(), nil
}

// same says that two configurations differ in nothing that a version freezes.
func same(version, latest api.Configuration) bool {
	latest.Version, latest.ARN, latest.RevisionID, latest.LastModified, latest.Description = version.Version, version.ARN, version.RevisionID, version.LastModified, version.Description
	if len(latest.Environment) == 0 {
		latest.Environment = version.Environment
		if len(version.Environment) > 0 {
			return false
		}
	}
	return reflect.DeepEqual(version, latest)
}

// latest finds a function by a name without a qualifier.
func (l *Lab) latest(name string) (*function, error) {
	if strings.Contains(name, ":") {
		return nil, api.Invalid("This operation is permitted on Lambda functions only. Lambda aliases and versions do not support this operation: " + name)
	}
	return l.find(name)
}

// Versions are $LATEST and all versions.
func (l *Lab) Versions(name string) ([]api.Configuration, error) {
	f, err := l.latest(name)
	if err != nil {
		return nil, err
	}
	all := []api.Configuration{f.configuration()}
	f.published.mu.Lock()
	defer f.published.mu.Unlock()
	for _, v := range f.published.all {
		all = append(all, v.configuration())
	}
	return all, nil
}

// DeleteVersion deletes a version that no alias names.
func (l *Lab) DeleteVersion(name, version string) error {
	f, err := l.latest(name)
	if err != nil {
		return err
	}
	v := &f.published
	v.mu.Lock()
	defer v.mu.Unlock()
	found := v.find(version)
	if found == nil {
		return absent("Function not found: " + name + ":" + version)
	}
	for _, a := range v.aliases {
		if a.Version == version {
			return conflict("Function is referenced by alias " + a.Name)
		}
	}
	v.all = slices.DeleteFunc(v.all, func(f *function) bool { return f == found })
	found.withdraw()
	return nil
}

// Aliases are in the order of names.
func (l *Lab) Aliases(name string) ([]api.Alias, error) {
	f, err := l.latest(name)
	if err != nil {
		return nil, err
	}
	f.published.mu.Lock()
	defer f.published.mu.Unlock()
	all := []api.Alias{}
	for _, a := range f.published.aliases {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b api.Alias) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Alias is one alias.
func (l *Lab) Alias(name, alias string) (api.Alias, error) {
	return l.changeAlias(name, alias, func(_ *versions, a api.Alias, ok bool) (api.Alias, error) {
		if !ok {
			return a, noAlias(name, alias)
		}
		return a, nil
	})
}

// CreateAlias makes an alias of a version that exists.
func (l *Lab) CreateAlias(name string, a api.Alias) (api.Alias, error) {
	return l.changeAlias(name, a.Name, func(v *versions, _ api.Alias, ok bool) (api.Alias, error) {
		if ok {
			return a, conflict("Alias already exists: " + a.Name)
		}
		return v.point(name, a)
	})
}

// UpdateAlias changes what is not "" of version and description.
func (l *Lab) UpdateAlias(name string, a api.Alias) (api.Alias, error) {
	return l.changeAlias(name, a.Name, func(v *versions, old api.Alias, ok bool) (api.Alias, error) {
		switch {
		case !ok:
			return a, noAlias(name, a.Name)
		case a.RevisionID != "" && a.RevisionID != old.RevisionID:
			return a, api.PreconditionFailed()
		}
		if a.Version == "" {
			a.Version = old.Version
		}
		if a.Description == "" {
			a.Description = old.Description
		}
		return v.point(name, a)
	})
}

// DeleteAlias deletes an alias; as on AWS, one that does not exist is no error.
func (l *Lab) DeleteAlias(name, alias string) error {
	_, err := l.changeAlias(name, alias, func(v *versions, a api.Alias, _ bool) (api.Alias, error) {
		delete(v.aliases, alias)
		return a, nil
	})
	return err
}

func (l *Lab) changeAlias(name, alias string, change func(v *versions, a api.Alias, ok bool) (api.Alias, error)) (api.Alias, error) {
	f, err := l.latest(name)
	if err != nil {
		return api.Alias{}, err
	}
	f.published.mu.Lock()
	defer f.published.mu.Unlock()
	a, ok := f.published.aliases[alias]
	return change(&f.published, a, ok)
}

// point keeps an alias; v.mu is held.
func (v *versions) point(name string, a api.Alias) (api.Alias, error) {
	if a.Version != api.Latest && v.find(a.Version) == nil {
		return a, absent("Function not found: " + name + ":" + a.Version)
	}
	if v.aliases == nil {
		v.aliases = map[string]api.Alias{}
	}
	a.ARN, a.RevisionID = assembly.ARN(name)+":"+a.Name, api.NewID()
	v.aliases[a.Name] = a
	return a, nil
}

func absent(message string) *api.Error {
	return &api.Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: message}
}

func noAlias(name, alias string) *api.Error {
	return absent("Cannot find alias arn: " + assembly.ARN(name) + ":" + alias)
}

func conflict(message string) *api.Error {
	return &api.Error{Status: http.StatusConflict, Code: "ResourceConflictException", Message: message}
}
