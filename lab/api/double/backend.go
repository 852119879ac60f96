package double

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/twinstart/twinstart/lab/api"
)

// Update implements api.Backend.
func (d *Lambda) Update(_ context.Context, name string, u api.Update) (api.Configuration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.find(name)
	if err == nil {
		err = f.conflict()
	}
	if err != nil {
		return api.Configuration{}, err
	}
	if u.RevisionID != "" && u.RevisionID != f.latest.RevisionID {
		return api.Configuration{}, api.PreconditionFailed()
	}
	f.before = f.latest
	c := &f.latest
	set(&c.Description, u.Description)
	set(&c.Handler, u.Handler)
	set(&c.MemorySizeMB, u.MemorySizeMB)
	set(&c.TimeoutSeconds, u.TimeoutSeconds)
	set(&c.EphemeralStorageMB, u.EphemeralStorageMB)
	set(&c.Image, u.Image)
	if u.Environment != nil {
		c.Environment = maps.Clone(*u.Environment)
	}
	c.RevisionID = d.revision()
	f.stale, f.busy = d.Stale, d.InProgress
	delete(f.warm, api.Latest)
	shown := f.latest
	if d.Stale+d.InProgress > 0 {
		shown.LastUpdateStatus = "InProgress"
	}
	return shown, nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// Publish implements api.Publisher.
func (d *Lambda) Publish(_ context.Context, name string, p api.Publication) (api.Configuration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.find(name)
	if err == nil {
		err = f.conflict()
	}
	if err != nil {
		return api.Configuration{}, err
	}
	if p.RevisionID != "" && p.RevisionID != f.latest.RevisionID {
		return api.Configuration{}, api.PreconditionFailed()
	}
	now := f.latest
	now.RevisionID = ""
	if n := len(f.versions); n > 0 && f.versions[n-1].Version == strconv.Itoa(f.last) && reflect.DeepEqual(now, f.frozen) {
		return f.versions[n-1], nil
	}
	f.frozen = now
	f.last++
	c := f.latest
	c.Version, c.Environment = strconv.Itoa(f.last), maps.Clone(c.Environment)
	c.ARN += ":" + c.Version
	set(&c.Description, p.Description)
	if d.Publishing != nil {
		d.Publishing(&c)
	}
	f.versions = append(f.versions, c)
	f.latest.RevisionID = d.revision() // as Lambda does
	return c, nil
}

// Versions implements api.Publisher.
func (d *Lambda) Versions(name string) ([]api.Configuration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.find(name)
	if err != nil {
		return nil, err
	}
	return append([]api.Configuration{f.latest}, f.versions...), nil
}

// DeleteVersion implements api.Publisher.
func (d *Lambda) DeleteVersion(name, version string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.find(name)
	if err != nil {
		return err
	}
	if _, err := f.qualified(version); err != nil {
		return err
	}
	for _, a := range f.aliases {
		if a.Version == version {
			return Conflict("Alias " + a.Name + " names version " + version)
		}
	}
	f.versions = slices.DeleteFunc(f.versions, func(c api.Configuration) bool { return c.Version == version })
	return nil
}

// Aliases implements api.Publisher.
func (d *Lambda) Aliases(name string) ([]api.Alias, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.find(name)
	if err != nil {
		return nil, err
	}
	var all []api.Alias
	for _, n := range slices.Sorted(maps.Keys(f.aliases)) {
		all = append(all, f.aliases[n])
	}
	return all, nil
}

// Alias implements api.Publisher.
func (d *Lambda) Alias(name, alias string) (api.Alias, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.alias(name, alias)
}

func (d *Lambda) alias(name, alias string) (api.Alias, error) {
	f, err := d.find(name)
	if err != nil {
		return api.Alias{}, err
	}
	a, ok := f.aliases[alias]
	if !ok {
		return a, &api.Error{Status: 404, Code: "ResourceNotFoundException", Message: "Alias not found: " + f.latest.ARN + ":" + alias}
	}
	return a, nil
}

// CreateAlias implements api.Publisher.
func (d *Lambda) CreateAlias(name string, a api.Alias) (api.Alias, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.alias(name, a.Name); err == nil {
		return a, Conflict("Alias already exists: " + a.Name)
	}
	return d.keep(name, a)
}

// UpdateAlias implements api.Publisher.
func (d *Lambda) UpdateAlias(name string, a api.Alias) (api.Alias, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old, err := d.alias(name, a.Name)
	if err != nil {
		return old, err
	}
	if a.Version == "" {
		a.Version = old.Version
	}
	if a.Description == "" {
		a.Description = old.Description
	}
	return d.keep(name, a)
}

// keep keeps an alias of a version that there is.
func (d *Lambda) keep(name string, a api.Alias) (api.Alias, error) {
	f, err := d.find(name)
	if err != nil {
		return a, err
	}
	if a.Version != api.Latest {
		if _, err := f.qualified(a.Version); err != nil {
			return a, err
		}
	}
	a.ARN, a.RevisionID = f.latest.ARN+":"+a.Name, d.revision()
	f.aliases[a.Name] = a
	return a, nil
}

// DeleteAlias implements api.Publisher. Like Lambda it does not mind an alias that is not there.
func (d *Lambda) DeleteAlias(name, alias string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.find(name)
	if err == nil {
		delete(f.aliases, alias)
	}
	return err
}
