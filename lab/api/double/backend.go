package double

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/twinstart/twinstart/lab/api"
)

// Update implements api.Backend.
func (d *Lambda) Update(_ context.Context, name string, u api.Update) (api.Configuration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.changeable(name, u.RevisionID)
	if err != nil {
		return api.Configuration{}, err
	}
	f.before = f.latest
	c := &f.latest
	u.Apply(c)
	c.RevisionID, c.LastModified = d.revision(), time.Now()
	f.stale, f.busy, f.until = d.Stale, d.InProgress, time.Now().Add(d.Takes)
	delete(f.warm, api.Latest)
	shown := f.latest
	if f.updating() {
		shown.LastUpdateStatus = "InProgress"
	}
	return shown, nil
}

// Publish implements api.Publisher.
func (d *Lambda) Publish(_ context.Context, name string, p api.Publication) (api.Configuration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.changeable(name, p.RevisionID)
	if err != nil {
		return api.Configuration{}, err
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
	api.Set(&c.Description, p.Description)
	if d.Publishing != nil {
		d.Publishing(&c)
	}
	f.versions = append(f.versions, c)
	if c.SnapStart {
		f.taking[c.Version] = d.Snapshots
	}
	f.latest.RevisionID = d.revision() // as Lambda does
	return f.asTaken(c), nil
}

// Versions implements api.Publisher.
func (d *Lambda) Versions(name string) (all []api.Configuration, err error) {
	err = d.on(name, func(f *function) error {
		all = append(all, f.latest)
		for _, v := range f.versions {
			all = append(all, f.asTaken(v))
		}
		return nil
	})
	return all, err
}

// DeleteVersion implements api.Publisher.
func (d *Lambda) DeleteVersion(name, version string) error {
	return d.on(name, func(f *function) error {
		v, err := f.qualified(version)
		if err == nil && v.State == pending {
			err = api.Conflict("The operation cannot be performed at this time. The function is currently in the following state: Pending")
		}
		if err == nil {
			f.versions = slices.DeleteFunc(f.versions, func(c api.Configuration) bool { return c.Version == version })
		}
		return err
	})
}
