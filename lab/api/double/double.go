// Package double is Lambda's API without Lambda, for tests. It serves package api for functions that are kept in
// memory. A Go function answers their invocations, and calls can fail with the faults that a real account has.
//
//	d := double.New(double.Configuration("orders", 512))
//	d.InProgress = 2 // the next two reads after an update see it in progress
//	d.Strike(&double.Fault{Operation: "Invoke", After: 3, Times: 1, Lost: true}) // the fourth answer does not arrive
//	server := httptest.NewServer(d)
//
// It keeps the rules that clients depend on. A change is refused if it names an old revision, or if another change is
// in progress. A version that an alias names cannot be deleted. PublishVersion publishes nothing if nothing has
// changed. If a function is in state Inactive, the first call is refused and activates the function.
package double

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/twinstart/twinstart/lab/api"
)

// Lambda is the API. Set its fields before it serves requests.
type Lambda struct {
	Faults

	// Stale is how many reads of a function after an update still see the old configuration. InProgress is how many
	// reads after those see the update in progress. If both are zero, an update is complete when it is answered, as in
	// the lab.
	Stale, InProgress int

	// Takes is how long an update stays in progress by the clock, however often it is read.
	Takes time.Duration

	// Snapshots is how many reads of a new version with SnapStart see it in State Pending, as if its snapshot were being
	// taken.
	Snapshots int

	// Publishing changes a version before it is published, for example to one that ends in State Failed. If it is
	// nil, nothing is changed.
	Publishing func(*api.Configuration)

	// Run answers invocations. The default is Working.
	Run func(Run) Answer

	mu        sync.Mutex
	functions []*function
	runs      int // invocations so far
	revisions int // revisions so far
	inside    int // invocations that are running
	widest    int // largest value of inside
}

// New returns an API with these functions.
func New(functions ...api.Configuration) *Lambda {
	d := &Lambda{Run: Working}
	for _, c := range functions {
		c.Version, c.RevisionID = api.Latest, d.revision()
		d.functions = append(d.functions, &function{latest: version{Configuration: c}})
	}
	serve := api.Handler(d)
	d.Next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serve.ServeHTTP(w, r)
		if c := callOf(r); c.Operation == "GetFunction" || c.Operation == "GetFunctionConfiguration" {
			d.looked(strings.TrimSuffix(c.Function+":"+c.Qualifier, ":"))
		}
	})
	return d
}

// Configuration returns an ordinary function: a ZIP on arm64 in eu-west-1 with one environment variable, last
// changed in 2020.
func Configuration(name string, memoryMB int) api.Configuration {
	return api.Configuration{
		Name: name, ARN: "arn:aws:lambda:eu-west-1:123456789012:function:" + name, PackageType: "Zip",
		Runtime: "provided.al2023", Handler: "handler.run", MemorySizeMB: memoryMB, TimeoutSeconds: 3,
		EphemeralStorageMB: 512, Architecture: "arm64", Environment: map[string]string{"KEEP": "me"},
		CodeSize: 1000, CodeSHA256: "c2hh", LogFormat: "Text", LogGroup: "/aws/lambda/" + name,
		LastModified: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// Change changes a function without the client's knowledge, as a colleague might. The function gets a new revision.
func (d *Lambda) Change(name string, change func(*api.Configuration)) {
	d.with(name, func(f *function) {
		change(&f.latest.Configuration)
		f.latest.RevisionID = d.revision()
	})
}

// Busy makes the next reads of a function see an update in progress.
func (d *Lambda) Busy(name string, reads int) { d.with(name, func(f *function) { f.busy = reads }) }

// with calls do with a function. It panics if there is no such function, which is a mistake in the test.
func (d *Lambda) with(name string, do func(*function)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, _, err := d.find(name)
	if err != nil {
		panic(err)
	}
	do(f)
}

// Alias creates an alias.
func (d *Lambda) Alias(of, alias, version string) {
	body := strings.NewReader(fmt.Sprintf(`{"Name":%q,"FunctionVersion":%q}`, alias, version))
	to := "http://localhost/2015-03-31/functions/" + of + "/aliases"
	w := httptest.NewRecorder()
	d.Next.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodPost, to, body))
	if w.Code != http.StatusCreated {
		panic(w.Body.String()) // a mistake in the test
	}
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
