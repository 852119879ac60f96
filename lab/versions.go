package lab

import (
	"context"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twinstart/twinstart/lab/api"
)

// versions are the published versions of a function.
type versions struct {
	mu     sync.Mutex
	last   int         // number of the last version
	frozen string      // description of $LATEST when it was last published
	all    []*function // ascending
}

// version returns the function that a qualifier names. A version has its own environments and shares the package.
func (f *function) version(qualifier string) (*function, error) {
	if qualifier == "" || qualifier == api.Latest {
		return f, nil
	}
	f.published.mu.Lock()
	defer f.published.mu.Unlock()
	if v := f.published.find(qualifier); v != nil {
		return v, nil
	}
	return nil, api.Absent("Function not found: " + f.source.Name() + ":" + qualifier)
}

func (v *versions) find(number string) *function {
	i := slices.IndexFunc(v.all, func(f *function) bool { return f.config.Version == number })
	if i < 0 {
		return nil
	}
	return v.all[i]
}

// Publish freezes $LATEST as a version.
func (l *Lab) Publish(_ context.Context, name string, p api.Publication) (api.Configuration, error) {
	f, err := l.latest(name)
	if err != nil {
		return api.Configuration{}, err
	}
	f.updating.Lock() // no update may run meanwhile
	defer f.updating.Unlock()
	c := f.configuration()
	switch {
	case p.RevisionID != "" && p.RevisionID != c.RevisionID:
		return api.Configuration{}, api.PreconditionFailed()
	case p.CodeSHA256 != "" && p.CodeSHA256 != c.CodeSHA256:
		return api.Configuration{}, api.Invalid("CodeSha256 (" + p.CodeSHA256 + ") is different from current CodeSha256 in $LATEST (" + c.CodeSHA256 + ")")
	}
	v := f.published
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.all) > 0 {
		if last := v.all[len(v.all)-1]; last.config.Version == strconv.Itoa(v.last) && v.frozen == c.Description && same(last.config, c) {
			return last.configuration(), nil
		}
	}
	v.frozen = c.Description // $LATEST's description counts as published content, the description of the version does not
	v.last++
	c.Version = strconv.Itoa(v.last)
	c.ARN, c.RevisionID, c.LastModified = c.ARN+":"+c.Version, api.NewID(), time.Now()
	api.Set(&c.Description, p.Description)
	version := &function{lab: f.lab, source: f.source, uid: f.uid, reserved: f.reserved, published: &versions{}, busy: map[*environment]bool{}, setting: setting{config: c, code: f.code}}
	v.all = append(v.all, version)
	if f.source.SnapStart {
		version.config.Initialization, version.config.State, version.config.StateReason = snapStartInit, "Pending", "The function is being created."
		go version.snapshot()
	}
	return version.configuration(), nil
}

// same reports whether two configurations are equal in everything that a version freezes.
func same(version, latest api.Configuration) bool {
	latest.Version, latest.ARN, latest.RevisionID, latest.LastModified, latest.Description = version.Version, version.ARN, version.RevisionID, version.LastModified, version.Description
	latest.Initialization, latest.State, latest.StateReason = version.Initialization, version.State, version.StateReason
	if len(latest.Environment) == 0 {
		latest.Environment = version.Environment
		if len(version.Environment) > 0 {
			return false
		}
	}
	return reflect.DeepEqual(version, latest)
}

// latest returns a function by a name without a qualifier.
func (l *Lab) latest(name string) (*function, error) {
	if strings.Contains(name, ":") {
		return nil, api.Invalid("This operation is permitted on Lambda functions only. Lambda aliases and versions do not support this operation: " + name)
	}
	return l.find(name)
}

// Versions returns $LATEST and all versions.
func (l *Lab) Versions(name string) ([]api.Configuration, error) {
	f, err := l.latest(name)
	if err != nil {
		return nil, err
	}
	var all []api.Configuration
	f.each(func(v *function) { all = append(all, v.configuration()) })
	return all, nil
}

// DeleteVersion deletes a version.
func (l *Lab) DeleteVersion(name, version string) error {
	f, err := l.latest(name)
	if err != nil {
		return err
	}
	v := f.published
	v.mu.Lock()
	defer v.mu.Unlock()
	found := v.find(version)
	if found == nil {
		return api.Absent("Function not found: " + name + ":" + version)
	}
	v.all = slices.DeleteFunc(v.all, func(f *function) bool { return f == found })
	f.settle(found.withdraw())
	return nil
}
