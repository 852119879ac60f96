package lab

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/lab/sandbox/inside"
)

// function is one function with its environments.
type function struct {
	lab      *Lab
	source   assembly.Function // as it was created, before any update
	uid      int               // the user of its processes; see sandbox.Spec
	reserved *reservation      // shared by all versions

	updating sync.Mutex       // one update at a time
	layered  map[string]*code // the code with other layers, by their ARNs, so that each is unpacked once

	mu         sync.Mutex
	setting    // the current one; environments of an older generation are not used again
	busy       map[*environment]bool
	idle       []*environment // the last one was used last and is used next
	prepared   *environment   // for the next cold start: its bootstrap is not started, or waits for a restore
	published  *versions      // versions of $LATEST; only $LATEST can be updated
	suppressed int            // environments lost in a crash: as many of the next new ones run INIT within an invocation
	closed     bool           // the function is deleted, or the lab is closing

	provisioned api.Provisioned // provisioned concurrency of a version
	coming      int             // number of provisioned environments whose INIT is running
}

// setting is what an environment is made for.
type setting struct {
	config     api.Configuration
	code       *code
	generation int // increases when config or code changes
}

// newFunction returns a function with this code and configuration. It sets the fields that the lab decides.
func newFunction(c *code, config api.Configuration) *function {
	config.Version, config.ARN, config.Code = api.Latest, assembly.ARN(config.Name), c.about()
	config.RevisionID, config.LastModified, config.CodeSize = api.NewID(), time.Now(), c.source.PackageSizeBytes
	f := &function{
		lab: c.lab, source: c.source, uid: c.lab.newUID(), reserved: &reservation{}, published: &versions{},
		layered: map[string]*code{"": c}, busy: map[*environment]bool{}, setting: setting{code: c, config: config},
	}
	f.reserved.limit.Store(config.ReservedConcurrency)
	return f
}

// configured returns the configuration that the assembly gives a function.
func configured(f assembly.Function) api.Configuration {
	return api.Configuration{
		Name: f.Name(), Description: f.Description, PackageType: string(f.PackageType), Runtime: f.Runtime,
		Handler: f.Handler, MemorySizeMB: f.MemorySizeMB, TimeoutSeconds: f.TimeoutSeconds,
		EphemeralStorageMB: f.EphemeralStorageMB, ReservedConcurrency: f.ReservedConcurrency, SnapStart: f.SnapStart,
		Architecture: string(f.Architecture), Environment: maps.Clone(f.Environment), Image: api.ImageConfig(f.ImageConfig),
		LogGroup: f.LogGroup, LogFormat: string(f.LogFormat), Role: f.Role,
	}
}

// newUID returns the user of a function's processes: Lambda's user while arms are measured, else a user for this
// function.
func (l *Lab) newUID() int {
	if l.unprivileged || l.options.Measured {
		return sandbox.UID
	}
	return sandbox.OwnUID(int(l.uids.Add(1)))
}

// attempts is how many times acquire tries to set up an environment, if something kills it before it is ready.
const attempts = 5

// acquire returns an environment for an invocation: an idle one, or a new one whose bootstrap is not started yet.
func (f *function) acquire() (*environment, error) {
	f.mu.Lock()
	for len(f.idle) > 0 {
		last := len(f.idle) - 1
		e := f.idle[last]
		f.idle = f.idle[:last]
		if !e.lost() {
			e.thaw()
			f.busy[e] = true
			f.mu.Unlock()
			return e, nil
		}
		f.suppressed++
		e.close()
	}
	e, now := f.prepared, f.setting
	f.prepared = nil
	suppress := f.suppressed > 0
	if suppress {
		f.suppressed--
	}
	f.mu.Unlock()
	if e == nil {
		var err error
		for range attempts {
			if e, err = f.prepare(now); !errors.Is(err, sandbox.ErrBroken) { // ErrBroken: something killed it
				break
			}
		}
		if err != nil {
			return nil, err
		}
	}
	e.suppressInit = suppress
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		e.close()
		return nil, errClosed
	}
	f.busy[e] = true
	return e, nil
}

// release gives an environment back after an invocation.
func (f *function) release(e *environment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.busy, e)
	current := !f.closed && e.generation == f.generation
	switch {
	case current && !e.lost():
		f.rest(e)
		return
	case current && e.provisioned:
		defer func() { go f.provision() }()
	case current:
		f.suppressed++
	}
	e.close()
}

// rest keeps an environment for another invocation; f.mu is held.
func (f *function) rest(e *environment) {
	e.idleSince = time.Now()
	if f.lab.options.Freeze {
		_ = e.life.Tell(inside.Freeze) // if it is gone, the next invocation finds out
	}
	f.idle = append(f.idle, e)
}

// withdraw ends the use of a function or a version, and returns the environments that end. Running invocations
// continue.
func (f *function) withdraw() []*environment {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return f.drop()
}

// each calls do with a function and its versions.
func (f *function) each(do func(*function)) {
	do(f)
	f.published.mu.Lock()
	defer f.published.mu.Unlock()
	for _, v := range f.published.all {
		do(v)
	}
}

// drop ends all unused environments and returns them. The caller holds f.mu.
func (f *function) drop() []*environment {
	retired := f.idle
	if f.prepared != nil {
		retired = append(retired, f.prepared)
	}
	f.idle, f.prepared, f.suppressed = nil, nil, 0
	f.generation++
	for _, e := range retired {
		e.close()
	}
	return retired
}

func (f *function) configuration() api.Configuration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.config.CodeSHA256 == "" {
		f.config.CodeSHA256 = f.code.sha()
	}
	c := f.config
	c.Environment, c.ReservedConcurrency = maps.Clone(c.Environment), f.reserved.limit.Load()
	return c
}

// update changes the configuration, and the code if the update has other layers.
func (f *function) update(u api.Update) (api.Configuration, error) {
	return f.change(u, func(was setting) (*code, error) {
		if u.Layers == nil || slices.Equal(*u.Layers, was.config.Layers) {
			return was.code, nil
		}
		return f.relayer(was.code, *u.Layers)
	})
}

// change changes the configuration, and the code if load returns other code. It ends the environments of the old
// setting and sets up an environment for the new one, so that the next invocation finds it ready.
func (f *function) change(u api.Update, load func(was setting) (*code, error)) (api.Configuration, error) {
	f.updating.Lock()
	defer f.updating.Unlock()
	f.mu.Lock()
	was, closed := f.setting, f.closed
	f.mu.Unlock()
	switch {
	case closed:
		return api.Configuration{}, errClosed
	case u.RevisionID != "" && u.RevisionID != was.config.RevisionID:
		return api.Configuration{}, api.PreconditionFailed()
	}
	next, err := load(was)
	if err != nil {
		return api.Configuration{}, err
	}
	f.mu.Lock()
	u.Apply(&f.config)
	f.config.RevisionID, f.config.LastModified = api.NewID(), time.Now()
	if f.code = next; next != was.code {
		f.config.CodeSize, f.config.CodeSHA256, f.config.Code = next.source.PackageSizeBytes, "", next.about()
	}
	retired := f.drop()
	now := f.setting
	f.mu.Unlock()

	e, err := f.prepare(now)
	f.settle(retired)
	if err == nil { // if not, Invoke reports the error
		f.offer(e)
	}
	return f.configuration(), nil
}

// settle waits until environments have ended. It does so if arms are measured, because an ending environment would
// disturb the measurement, and if many are ending. Otherwise they end in the background.
func (f *function) settle(retired []*environment) {
	if f.lab.options.Measured || f.lab.ending.Load() > maxEnding {
		for _, e := range retired {
			<-e.done
		}
	}
}

// relayer returns the code with other layers of the assembly, after the function's own layers. The caller holds
// f.updating.
func (f *function) relayer(was *code, arns []string) (*code, error) {
	key := strings.Join(arns, " ")
	if kept := f.layered[key]; kept != nil {
		return kept, nil
	}
	made := &code{lab: f.lab, source: was.source}
	made.source.Layers = slices.Clone(f.source.Layers)
	for _, arn := range arns {
		id, _, _ := strings.Cut(strings.TrimPrefix(arn, strings.TrimSuffix(assembly.LayerARN(""), ":1")), ":")
		path, is := f.source.OtherLayers[id]
		if !is || arn != assembly.LayerARN(id) {
			return nil, api.Invalid("Layer version " + arn + " does not exist: " +
				"the lab has only the layers that variants of the assembly's arms name")
		}
		made.source.Layers = append(made.source.Layers, path)
	}
	f.layered[key] = made
	return made, nil
}

// offer keeps a prepared environment for the next cold start, if it has the current configuration.
func (f *function) offer(e *environment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.prepared != nil || e.generation != f.generation {
		e.close()
		return
	}
	f.prepared = e
}

var errClosed = api.NewError(http.StatusServiceUnavailable, "ServiceException",
	"the function was deleted, or the lab is closing")

// List returns the configuration of every function.
func (l *Lab) List() []api.Configuration {
	return list.Map(l.all(), (*function).configuration)
}
