// Package double is Lambda's API without Lambda, for tests. It serves package api for functions that are kept in
// memory. A Go function answers their invocations, and calls can fail with the faults that a real account has.
//
//	d := double.New(double.Configuration("orders", 512))
//	d.InProgress = 2 // the next two reads after an update see it in progress
//	d.Strike(&double.Fault{Operation: "Invoke", After: 3, Times: 1, Lost: true}) // the fourth answer does not arrive
//	server := httptest.NewServer(d)
//
// It keeps the rules that clients depend on. A change is refused if it names an old revision or if another change
// is in progress. A version that an alias names cannot be deleted. PublishVersion publishes nothing if nothing has
// changed. The first call of a function in state Inactive is refused and activates it.
package double

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twinstart/twinstart/lab/api"
)

// Lambda is the API. Set its fields before it serves requests.
type Lambda struct {
	Faults

	// Stale is how many reads of a function after an update still see the state before it, as if the update had not
	// been made. InProgress is how many reads after those see the update in progress. If both are zero, an update
	// is complete when it is answered, as in the lab.
	Stale, InProgress int

	// Takes is how long an update stays in progress by the clock, however often it is read.
	Takes time.Duration

	// Snapshots is how many reads of a version with SnapStart see it in State Pending, while its snapshot is taken.
	Snapshots int

	// Publishing changes a version before it is published, for example to one that ends in State Failed. If it is
	// nil, nothing is changed.
	Publishing func(*api.Configuration)

	// Run answers invocations. The default is Working.
	Run func(Run) Answer

	mu        sync.Mutex
	functions []*function
	runs      int
	revisions int
	inside    int
	widest    int
}

// function is a function's $LATEST and its versions.
type function struct {
	latest, before api.Configuration
	stale, busy    int
	until          time.Time // time at which an update is complete
	versions       []api.Configuration
	frozen         api.Configuration // $LATEST when the last version was published
	last           int
	warm           map[string]bool // key: version
	taking         map[string]int  // key: version; reads until its snapshot is there
	idle           map[string]int  // key: version with SnapStart; environments that wait for an event
}

// New returns an API with these functions.
func New(functions ...api.Configuration) *Lambda {
	d := &Lambda{Run: Working}
	for _, c := range functions {
		c.Version, c.RevisionID = api.Latest, d.revision()
		d.functions = append(d.functions, &function{latest: c, warm: map[string]bool{}, taking: map[string]int{}, idle: map[string]int{}})
	}
	serve := api.Handler(d)
	d.Next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serve.ServeHTTP(w, r)
		if c := callOf(r); c.Operation == "GetFunction" || c.Operation == "GetFunctionConfiguration" {
			d.looked(c.Function, c.Qualifier)
		}
	})
	return d
}

// looked counts one read of a function towards the end of its update, or of a version towards its snapshot.
func (d *Lambda) looked(name, qualifier string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.find(name)
	switch {
	case err != nil:
	case qualifier != "":
		f.taking[qualifier] = max(0, f.taking[qualifier]-1)
	case f.stale > 0:
		f.stale--
	case f.busy > 0:
		if f.busy--; f.busy == 0 && f.latest.State == pending {
			f.latest.State = ""
		}
	}
}

// These are the State of a function that was not called for weeks, and its State after the call that activates it.
const inactive, pending, failed = "Inactive", "Pending", "Failed"

// updating reports whether an update is in progress.
func (f *function) updating() bool { return f.stale+f.busy > 0 || time.Now().Before(f.until) }

// Configuration returns an ordinary function: a ZIP on arm64 in eu-west-1 with one environment variable, last
// changed in 2020.
func Configuration(name string, memoryMB int) api.Configuration {
	return api.Configuration{
		Name: name, ARN: "arn:aws:lambda:eu-west-1:123456789012:function:" + name, PackageType: "Zip", Runtime: "provided.al2023", Handler: "handler.run",
		MemorySizeMB: memoryMB, TimeoutSeconds: 3, EphemeralStorageMB: 512, Architecture: "arm64", Environment: map[string]string{"KEEP": "me"},
		CodeSize: 1000, CodeSHA256: "c2hh", LogFormat: "Text", LogGroup: "/aws/lambda/" + name, LastModified: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// Change changes a function without a client's knowledge, as a colleague might. The function gets a new revision.
func (d *Lambda) Change(name string, change func(*api.Configuration)) {
	d.with(name, func(f *function) error {
		change(&f.latest)
		f.latest.RevisionID = d.revision()
		return nil
	})
}

// Busy makes a function appear as being updated for the next reads.
func (d *Lambda) Busy(name string, looks int) {
	d.with(name, func(f *function) error { f.busy = looks; return nil })
}

// Alias creates an alias.
func (d *Lambda) Alias(of, alias, version string) {
	body := strings.NewReader(fmt.Sprintf(`{"Name":%q,"FunctionVersion":%q}`, alias, version))
	w := httptest.NewRecorder()
	d.Next.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodPost, "http://localhost/2015-03-31/functions/"+of+"/aliases", body))
	if w.Code != http.StatusCreated {
		panic(w.Body.String()) // a mistake in the test
	}
}

// with is on for a test, which knows the function.
func (d *Lambda) with(name string, do func(*function) error) {
	if err := d.on(name, do); err != nil {
		panic(err) // a mistake in the test
	}
}

// on calls do with a function, while no other caller uses it.
func (d *Lambda) on(name string, do func(*function) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.find(name)
	if err != nil {
		return err
	}
	return do(f)
}

// Widest returns the largest number of invocations that ran at once.
func (d *Lambda) Widest() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.widest
}

// revision returns a new revision. The caller holds the lock, or the API is not serving yet.
func (d *Lambda) revision() string {
	d.revisions++
	return fmt.Sprintf("r%d", d.revisions)
}

// find returns $LATEST by a name without a qualifier. The caller holds the lock.
func (d *Lambda) find(name string) (*function, error) {
	i := slices.IndexFunc(d.functions, func(f *function) bool { return f.latest.Name == name })
	if i < 0 {
		return nil, api.Absent("Function not found: " + name)
	}
	return d.functions[i], nil
}

// qualified returns a version. The caller holds the lock.
func (f *function) qualified(qualifier string) (api.Configuration, error) {
	for _, v := range f.versions {
		if v.Version == qualifier {
			return f.asTaken(v), nil
		}
	}
	return api.Configuration{}, api.Absent("Function not found: " + f.latest.Name + ":" + qualifier)
}

// asTaken is a version as it is shown: Pending while its snapshot is taken.
func (f *function) asTaken(v api.Configuration) api.Configuration {
	if f.taking[v.Version] > 0 {
		v.State, v.StateReason = pending, "The function is being created."
	}
	return v
}

// List implements api.Backend.
func (d *Lambda) List() (all []api.Configuration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.functions {
		all = append(all, f.latest)
	}
	slices.SortFunc(all, func(a, b api.Configuration) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Function implements api.Backend.
func (d *Lambda) Function(name string) (api.Configuration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	base, qualifier, isQualified := strings.Cut(name, ":")
	f, err := d.find(base)
	if err != nil {
		return api.Configuration{}, err
	}
	if isQualified {
		return f.qualified(qualifier)
	}
	return f.shown(), nil
}

// shown returns what a read of $LATEST sees.
func (f *function) shown() api.Configuration {
	switch {
	case f.stale > 0:
		return f.before
	case f.updating():
		c := f.latest
		c.LastUpdateStatus = "InProgress"
		return c
	}
	return f.latest
}

// changeable returns a function if no update of it is in progress and it has this revision; "" accepts any
// revision.
func (d *Lambda) changeable(name, revision string) (*function, error) {
	f, err := d.find(name)
	switch {
	case err != nil:
		return nil, err
	case f.updating() || f.latest.State == inactive:
		return nil, api.Conflict("The operation cannot be performed at this time. An update is in progress for resource: " + f.latest.ARN)
	case revision != "" && revision != f.latest.RevisionID:
		return nil, api.PreconditionFailed()
	}
	return f, nil
}
