package double

import (
	"strings"
	"time"

	"github.com/twinstart/twinstart/lab/api"
)

type function struct {
	latest   version
	before   api.Configuration // $LATEST before its last update
	stale    int               // number of next reads that see before
	busy     int               // number of reads after those that see the update in progress
	until    time.Time         // time at which the update is complete
	versions []*version
	numbers  api.Versions
}

// version is $LATEST or a published version.
type version struct {
	api.Configuration
	warm   bool // it has run, in the case of $LATEST since its last update
	taking int  // number of next reads that see its snapshot being taken
	idle   int  // with SnapStart: number of environments that wait for an event
}

// find returns a function and the version that its name has; without one, that is $LATEST. The caller holds the lock.
func (d *Lambda) find(name string) (*function, *version, error) {
	base, number, hasNumber := strings.Cut(name, ":")
	for _, f := range d.functions {
		if f.latest.Name == base && !hasNumber {
			return f, &f.latest, nil
		}
		for _, v := range f.versions {
			if v.Name == base && v.Version == number {
				return f, v, nil
			}
		}
	}
	return nil, nil, api.Absent("Function not found: " + name)
}

// changeable returns a function if no update of it is in progress and it has this revision. "" accepts any revision.
func (d *Lambda) changeable(name, revision string) (*function, error) {
	f, _, err := d.find(name)
	switch {
	case err != nil:
		return nil, err
	case f.updating() || f.latest.State == api.Inactive:
		return nil, api.Conflict("The operation cannot be performed at this time. " +
			"An update is in progress for resource: " + f.latest.ARN)
	case revision != "" && revision != f.latest.RevisionID:
		return nil, api.PreconditionFailed()
	}
	return f, nil
}

// updating reports whether an update is in progress.
func (f *function) updating() bool { return f.stale+f.busy > 0 || time.Now().Before(f.until) }

// shown returns what a read of $LATEST sees.
func (f *function) shown() api.Configuration {
	c := f.latest.Configuration
	switch {
	case f.stale > 0:
		return f.before
	case f.updating():
		c.LastUpdateStatus = "InProgress"
	}
	return c
}

// shown returns what a read of a version sees: State Pending while its snapshot is taken.
func (v *version) shown() api.Configuration {
	c := v.Configuration
	if v.taking > 0 {
		c.State, c.StateReason = api.Pending, "The function is being created."
	}
	return c
}

// looked counts a read of a function towards the end of its update, or a read of a version towards its snapshot.
func (d *Lambda) looked(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, v, err := d.find(name)
	switch {
	case err != nil:
	case v != &f.latest:
		v.taking = max(0, v.taking-1)
	case f.stale > 0:
		f.stale--
	case f.busy > 0:
		if f.busy--; f.busy == 0 && v.State == api.Pending {
			v.State = ""
		}
	}
}
