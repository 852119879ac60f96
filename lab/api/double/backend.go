package double

import (
	"slices"
	"time"

	"github.com/twinstart/twinstart/lab/api"
)

// List implements api.Backend.
func (d *Lambda) List() (all []api.Configuration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.functions {
		all = append(all, f.latest.Configuration)
	}
	return all
}

// Function implements api.Backend.
func (d *Lambda) Function(name string) (api.Configuration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, v, err := d.find(name)
	switch {
	case err != nil:
		return api.Configuration{}, err
	case v == &f.latest:
		return f.shown(), nil
	}
	return v.shown(), nil
}

// Update implements api.Backend.
func (d *Lambda) Update(name string, u api.Update) (api.Configuration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.changeable(name, u.RevisionID)
	if err != nil {
		return api.Configuration{}, err
	}
	f.before = f.latest.Configuration
	f.latest.warm = false
	u.Apply(&f.latest.Configuration)
	f.latest.RevisionID, f.latest.LastModified = d.revision(), time.Now()
	f.stale, f.busy, f.until = d.Stale, d.InProgress, time.Now().Add(d.Takes)
	answered := f.latest.Configuration
	if f.updating() {
		answered.LastUpdateStatus = "InProgress"
	}
	return answered, nil
}

// Publish implements api.Backend.
func (d *Lambda) Publish(name string, p api.Publication) (api.Configuration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.changeable(name, p.RevisionID)
	if err != nil {
		return api.Configuration{}, err
	}
	c, isNew, err := f.numbers.Publish(f.latest.Configuration, p)
	switch {
	case err != nil:
		return api.Configuration{}, err
	case !isNew:
		return f.versions[len(f.versions)-1].shown(), nil
	}
	if d.Publishing != nil {
		d.Publishing(&c)
	}
	v := &version{Configuration: c}
	if c.SnapStart {
		v.taking = d.Snapshots
	}
	f.versions = append(f.versions, v)
	f.latest.RevisionID = d.revision() // as Lambda does
	return v.shown(), nil
}

// Versions implements api.Backend.
func (d *Lambda) Versions(name string) ([]api.Configuration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, _, err := d.find(name)
	if err != nil {
		return nil, err
	}
	all := []api.Configuration{f.latest.Configuration}
	for _, v := range f.versions {
		all = append(all, v.shown())
	}
	return all, nil
}

// DeleteVersion implements api.Backend.
func (d *Lambda) DeleteVersion(name, number string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, v, err := d.find(name + ":" + number)
	switch {
	case err != nil:
		return err
	case v.shown().State == api.Pending:
		return api.InState(api.Pending)
	}
	f.versions = slices.DeleteFunc(f.versions, func(other *version) bool { return other == v })
	f.numbers.Delete(number)
	return nil
}
