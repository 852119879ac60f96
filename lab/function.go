package lab

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/lab/sandbox/inside"
)

// function is one function with its environments.
type function struct {
	lab    *Lab
	source assembly.Function

	*code                 // shared by all versions
	reserved *reservation // also shared

	updating sync.Mutex // one update at a time
	layered  *sync.Map  // *code by the ARNs of other layers, so that each is unpacked once
	own      int        // number of the layers of source that are the function's own

	mu         sync.Mutex
	config     api.Configuration
	generation int // changes with the configuration; environments of an older generation are not used again
	busy       map[*environment]bool
	idle       []*environment // the last one was used last and is used next
	prepared   *environment   // set up for the current configuration; its bootstrap is not started yet
	published  *versions      // versions of $LATEST; only $LATEST can be updated
	suppressed int            // number of environments lost in a crash; as many next invocations include INIT
	closed     bool

	provisioned api.Provisioned // provisioned concurrency of a version
	coming      int             // number of provisioned environments whose INIT is running
}

func newFunction(l *Lab, f assembly.Function) *function {
	about := map[string]any{"ImageUri": f.Package, "ResolvedImageUri": f.Package}
	if f.PackageType == assembly.Zip {
		about = map[string]any{"Location": "file://" + f.Package}
	}
	return &function{lab: l, source: f, code: &code{uid: l.newUID()}, reserved: &reservation{limit: f.ReservedConcurrency}, published: &versions{}, layered: &sync.Map{}, own: len(f.Layers), busy: map[*environment]bool{}, config: api.Configuration{
		Name: f.Name(), Version: api.Latest, ARN: assembly.ARN(f.Name()), Description: f.Description, PackageType: string(f.PackageType), Runtime: f.Runtime,
		Handler: f.Handler, MemorySizeMB: f.MemorySizeMB, TimeoutSeconds: f.TimeoutSeconds, EphemeralStorageMB: f.EphemeralStorageMB,
		Architecture: string(f.Architecture), Environment: maps.Clone(f.Environment), Image: api.ImageConfig(f.ImageConfig),
		SnapStart: f.SnapStart, CodeSize: f.PackageSizeBytes, LogGroup: f.LogGroup, LogFormat: string(f.LogFormat), RevisionID: api.NewID(), LastModified: time.Now(), Code: about,
		Extra: map[string]any{"Role": cmp.Or(f.Role, "arn:aws:iam::"+assembly.Account+":role/lab")},
	}}
}

// newUID returns the user of a function's processes: while arms are measured Lambda's, else one of its own.
func (l *Lab) newUID() int {
	if l.unprivileged || l.options.Measured {
		return sandbox.UID
	}
	return sandbox.OwnUID(int(l.uids.Add(1)))
}

// layout returns the layout of an environment of this function.
func (f *function) layout(c api.Configuration) (l sandbox.Layout, err error) {
	if f.image == nil || !f.image.Scratch {
		l = f.lab.base
	}
	for _, door := range f.lab.options.Allow {
		if door.trust != nil {
			l.DevFiles = door.trust.Files
		}
	}
	l.Image, l.Folder, l.ReadAheadKiB, l.MountOn, l.TmpMB = f.pkg.Image(), f.pkg.Folder(), f.lab.options.ReadAheadKiB, f.lab.mnt, c.EphemeralStorageMB
	if f.runtime != nil {
		l.Runtime = f.runtime.Dir
	}
	if f.uid != sandbox.UID && f.lab.options.BaseRoot == "" {
		if l.Users, err = f.lab.users(f.uid); err != nil {
			return l, err
		}
	}
	if l.TmpDisk, err = f.lab.disk(c.EphemeralStorageMB); err != nil {
		return l, err
	}
	if l.AtRoot = f.atRoot; l.AtRoot {
		for _, file := range f.pkg.Files {
			l.Files = append(l.Files, file.Path)
		}
		l.TaskOnly = f.lab.base.NoTask && (f.image == nil || f.image.TaskOnly)
	}
	return l, nil
}

// command returns the command that an environment of this function starts.
func (f *function) command(c api.Configuration, runtimeAPI, logStream string) sandbox.Command {
	c.Environment = f.lab.endpoints(c.Environment)
	if f.image == nil {
		var env []string
		if f.runtime != nil {
			env = f.runtime.Env
		}
		return sandbox.Command{Argv: []string{cmp.Or(f.start, sandbox.TaskRoot+"/bootstrap")}, Env: Variables(c, env, runtimeAPI, logStream), Dir: sandbox.TaskRoot}
	}
	command := sandbox.Command{
		Argv: f.image.Command(c.Image.EntryPoint, c.Image.Command),
		Env:  Variables(c, f.image.Env, runtimeAPI, logStream),
		Dir:  f.image.Dir(),
	}
	if len(command.Argv) == 0 { // neither ENTRYPOINT nor CMD: it starts nothing, and fails as on Lambda
		command.Argv = []string{""}
	}
	if c.Image.WorkingDirectory != "" {
		command.Dir = c.Image.WorkingDirectory
	}
	return command
}

// attempts are how many environments may be killed while they are set up for one invocation.
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
	e, c, generation := f.prepared, f.config, f.generation
	f.prepared = nil
	suppress := f.suppressed > 0
	if suppress {
		f.suppressed--
	}
	f.mu.Unlock()
	if e == nil {
		var err error
		for range attempts {
			if e, err = f.prepare(c, generation); !errors.Is(err, sandbox.ErrBroken) { // else something killed it while it was set up
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

// retire ends every environment. Invocations that are still running fail.
func (f *function) retire() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.drop()
	for e := range f.busy {
		e.life.Kill()
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
		f.config.CodeSHA256 = f.codeSHA()
	}
	c := f.config
	c.Environment, c.ReservedConcurrency = maps.Clone(c.Environment), f.reserved.get()
	return c
}

// update changes the configuration, ends the environments of the old one, and sets up an environment for the new
// one. An invocation after update returns finds that environment ready.
func (f *function) update(u api.Update) (api.Configuration, error) {
	if u.Environment != nil {
		if err := checkVariables(*u.Environment); err != nil {
			return api.Configuration{}, err
		}
	}
	if u.Handler != nil && f.source.PackageType == assembly.Image {
		return api.Configuration{}, api.Invalid("Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.")
	}
	f.updating.Lock()
	defer f.updating.Unlock()
	f.mu.Lock()
	relayered := u.Layers != nil && !slices.Equal(*u.Layers, f.config.Layers)
	if f.closed {
		f.mu.Unlock()
		return api.Configuration{}, errClosed
	}
	if u.RevisionID != "" && u.RevisionID != f.config.RevisionID {
		f.mu.Unlock()
		return api.Configuration{}, api.PreconditionFailed()
	}
	if relayered {
		f.mu.Unlock()
		return f.relayer(u)
	}
	f.config = changed(f.config, u)
	retired := f.drop()
	c, generation := f.config, f.generation
	f.mu.Unlock()

	next, err := f.prepare(c, generation)
	f.settle(retired)
	if err == nil { // if not, Invoke reports the error
		f.offer(next)
	}
	return f.configuration(), nil
}

// settle waits for the end of environments: nothing may be measured meanwhile. Else they end in the background, unless many do.
func (f *function) settle(retired []*environment) {
	if f.lab.options.Measured || f.lab.ending.Load() > maxEnding {
		for _, e := range retired {
			<-e.done
		}
	}
}

// relayer puts other layers of the assembly, beside the function's own, below the code. The caller holds f.updating.
func (f *function) relayer(u api.Update) (api.Configuration, error) {
	source := f.source
	source.Layers = f.source.Layers[:f.own:f.own]
	for _, arn := range *u.Layers {
		id, _, _ := strings.Cut(strings.TrimPrefix(arn, strings.TrimSuffix(assembly.LayerARN(""), ":1")), ":")
		path, is := f.source.OtherLayers[id]
		if !is || arn != assembly.LayerARN(id) {
			return api.Configuration{}, api.Invalid("Layer version " + arn + " does not exist: the lab has the Layers that variants of the assembly's arms name")
		}
		source.Layers = append(source.Layers, path)
	}
	made := newFunction(f.lab, source)
	if kept, had := f.layered.LoadOrStore(strings.Join(*u.Layers, " "), made.code); had {
		made.code = kept.(*code)
	}
	made.config, made.layered = changed(f.configuration(), u), f.layered
	return f.lab.replace(f, made)
}

// offer keeps a prepared environment for the next cold start, if it has the current configuration.
func (f *function) offer(e *environment) {
	f.mu.Lock()
	use := !f.closed && f.prepared == nil && e.generation == f.generation
	if use {
		f.prepared = e
	}
	f.mu.Unlock()
	if !use {
		e.close()
	}
}

func changed(c api.Configuration, u api.Update) api.Configuration {
	u.Apply(&c)
	c.RevisionID, c.LastModified = api.NewID(), time.Now()
	return c
}

var errClosed = &api.Error{Status: http.StatusServiceUnavailable, Code: "ServiceException", Message: "the lab is closing"}

// List returns the configuration of every function in the order of their names.
func (l *Lab) List() []api.Configuration {
	var out []api.Configuration
	for _, f := range l.all() {
		out = append(out, f.configuration())
	}
	slices.SortFunc(out, func(a, b api.Configuration) int { return strings.Compare(a.Name, b.Name) })
	return out
}
