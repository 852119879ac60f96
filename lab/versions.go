package lab

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twinstart/twinstart/lab/api"
)

// versions are the published versions of a function.
type versions struct {
	mu      sync.Mutex
	numbers api.Versions
	all     []*function // ascending
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
func (l *Lab) Publish(name string, p api.Publication) (api.Configuration, error) {
	f, err := l.latest(name)
	if err != nil {
		return api.Configuration{}, err
	}
	f.updating.Lock() // no update may run meanwhile
	defer f.updating.Unlock()
	v := f.published
	v.mu.Lock()
	defer v.mu.Unlock()
	c, isNew, err := v.numbers.Publish(f.configuration(), p)
	switch {
	case err != nil:
		return api.Configuration{}, err
	case !isNew:
		return v.all[len(v.all)-1].configuration(), nil
	}
	c.RevisionID, c.LastModified = api.NewID(), time.Now()
	version := &function{lab: f.lab, source: f.source, uid: f.uid, reserved: f.reserved, published: &versions{},
		busy: map[*environment]bool{}, setting: setting{config: c, code: f.code}}
	v.all = append(v.all, version)
	if c.SnapStart {
		version.config.Initialization = snapStartInit
		version.config.State, version.config.StateReason = api.Pending, "The function is being created."
		go version.snapshot()
	}
	return version.configuration(), nil
}

// latest returns a function by a name without a qualifier.
func (l *Lab) latest(name string) (*function, error) {
	if strings.Contains(name, ":") {
		return nil, api.Invalid("This operation is permitted on Lambda functions only. " +
			"Lambda aliases and versions do not support this operation: " + name)
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
	v.numbers.Delete(version)
	f.settle(found.withdraw())
	return nil
}
