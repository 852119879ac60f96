// Package lab is Lambda on this machine. It runs each function of a synthesized CDK assembly in its own execution
// environments and serves Lambda's API for them. So what is measured is what would be deployed.
//
// An execution environment is a root file system (the package at /var/task, a writable /tmp), namespaces, a CPU quota,
// a memory limit and a Runtime API server. Before a cold start no page of the package is in memory. After it, the lab
// counts the pages that were read. Names of fields end in their unit: MB, KiB, seconds.
//
// The lab differs from Lambda in these ways. Idle environments are frozen only if Options.Freeze is set. Files in /tmp
// count as memory without root, and while arms are measured. Functions that are not measured each have their own user.
// Functions can reach only the services in Options.Allow. Other differences depend on the machine, and each is a
// warning.
package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twinstart/twinstart/arm"
	"github.com/twinstart/twinstart/arm/list"
	"github.com/twinstart/twinstart/lab/api"
	"github.com/twinstart/twinstart/lab/assembly"
	"github.com/twinstart/twinstart/lab/cgroup"
	"github.com/twinstart/twinstart/lab/coldfs"
	"github.com/twinstart/twinstart/lab/managed"
	"github.com/twinstart/twinstart/lab/sandbox"
	"github.com/twinstart/twinstart/packages/staticbash"
)

// DefaultReadAheadKiB is the read-ahead of a block device in a Linux guest, as on AWS.
const DefaultReadAheadKiB = 128

// DefaultConcurrency is how many invocations may run at the same time. Idle environments do not count.
const DefaultConcurrency = 100

// Options say what to run and how.
type Options struct {
	Functions []assembly.Function
	// ReadAheadKiB is the read-ahead of the packages' file system; 0 reads page by page.
	ReadAheadKiB int
	// ProportionalInit limits INIT to the function's share of the CPU. Lambda gives INIT the full CPU.
	ProportionalInit bool
	// BaseRoot is an unpacked root file system of provided:al2023; "" uses this machine's /usr instead.
	BaseRoot string
	// StateDir keeps prepared packages for later labs; "" means a temporary folder.
	StateDir string
	// An environment can reach its Runtime API and the services in Allow. With HostNetwork it can reach everything that
	// this machine can, and also the machine's loopback services and other functions' Runtime APIs.
	HostNetwork bool
	Allow       []Door
	// Tables are served to every function, unless Allow has a service dynamodb. TableLatency is the median service time.
	Tables       []assembly.Table
	TableLatency time.Duration
	Concurrency  int               // 0 means DefaultConcurrency
	Credentials  map[string]string // AWS_ACCESS_KEY_ID etc.; nil means invented ones, which no service accepts
	Freeze       bool              // stop the processes of idle environments, as Lambda does
	Idle         time.Duration     // idle environments are ended after this time; 0 means never
	// Count is called once for a function's code, before its first environment. If Count is nil, only measured starts
	// are counted.
	Count Count
	// Measured says that arms are measured. Then functions may make every system call, because a filter costs time.
	// Otherwise a filter denies the calls that reach deep into the kernel.
	Measured bool
	// Log receives every line that CloudWatch would have, with a time and the function's name.
	Log io.Writer
}

// Lab runs the functions of one stack.
type Lab struct {
	handler     http.Handler
	options     Options
	functions   map[string]*function // by name and by logical ID
	listed      []*function
	notMeasured []arm.NotMeasured
	warnings    []string
	machine     Machine

	store   *coldfs.Store
	base    sandbox.Layout // the base that packages are mounted on
	groups  *cgroup.Manager
	mnt     string // empty mount points; each environment mounts over them in its own namespace
	log     *logWriter
	cleanup func()

	filters      [][]byte // of system calls in environments
	ownNetwork   bool     // each environment has its own network
	unprivileged bool     // each environment has its own user namespace

	spares    chan spare
	diskMu    sync.Mutex
	disks     map[int]*coldfs.Disk // by room in MB
	slots     chan struct{}        // holds an entry per running invocation
	initLimit time.Duration        // longest INIT

	snapLimit    time.Duration // longest INIT before a snapshot, unless the function's time-out is longer
	restoreLimit time.Duration // longest restore

	end          chan struct{} // closed by Close
	mu           sync.Mutex
	closed       bool
	environments sync.WaitGroup // counts environments that exist
	uids         atomic.Int32   // number of users that functions have had
	coming       atomic.Int32   // number of spares that are being made
	ending       atomic.Int32   // number of environments that are being closed
}

// enter counts a new environment. It returns false if the lab is closed.
func (l *Lab) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.environments.Add(1)
	}
	return !l.closed
}

// New prepares the lab for the functions. If something cannot work as on Lambda, that is a warning. An error means that
// nothing can run, and says what to do.
func New(options Options) (*Lab, error) {
	l, err := newLab(options)
	if err == nil {
		err = l.choose()
	}
	if err == nil {
		err = l.start()
	}
	return l, err
}

func newLab(options Options) (*Lab, error) {
	switch {
	case options.ReadAheadKiB < 0 || options.ReadAheadKiB > 1<<20:
		return nil, fmt.Errorf("read-ahead of %d KiB: use 0 to 1048576", options.ReadAheadKiB)
	case options.Concurrency < 0 || options.Concurrency > 10000:
		return nil, fmt.Errorf("concurrency of %d: use 1 to 10000", options.Concurrency)
	case options.TableLatency < 0 || options.TableLatency > time.Minute:
		return nil, fmt.Errorf("service time %s of the tables: use 0s to 1m", options.TableLatency)
	}
	l := &Lab{options: options, functions: map[string]*function{}, log: &logWriter{out: options.Log},
		initLimit: defaultInitLimit, snapLimit: defaultSnapLimit, restoreLimit: defaultRestoreLimit,
		slots: make(chan struct{}, cmp.Or(options.Concurrency, DefaultConcurrency)), spares: make(chan spare, maxSpares),
		disks: map[int]*coldfs.Disk{}, end: make(chan struct{})}
	l.handler = api.Handler(l)
	return l, nil
}

// start prepares everything that runs the functions.
func (l *Lab) start() error {
	if err := l.prepareMachine(); err != nil {
		return err
	}
	for _, f := range l.options.Functions {
		l.listed = append(l.listed, newFunction(&code{lab: l, source: f}, configured(f)))
		l.functions[f.Name()] = l.listed[len(l.listed)-1]
	}
	for _, f := range l.listed {
		if _, taken := l.functions[f.source.LogicalID]; !taken {
			l.functions[f.source.LogicalID] = f
		}
	}
	if l.options.Idle > 0 {
		go l.reap()
	}
	return nil
}

// choose keeps the functions that this machine can run: those for its architecture whose managed runtime, if they need
// one, is prepared.
func (l *Lab) choose() error {
	remedy, all := "", l.options.Functions
	l.options.Functions = nil
	for _, f := range all {
		why, what := l.unable(&f)
		if remedy = cmp.Or(what, remedy); why == "" {
			l.options.Functions = append(l.options.Functions, f)
			continue
		}
		l.notMeasured = append(l.notMeasured, arm.NotMeasured{Arm: f.Identity.Arm, Why: why})
	}
	if len(l.options.Functions) == 0 {
		return fmt.Errorf("nothing to run: %s%s", arm.Reasons(l.notMeasured), remedy)
	}
	l.warnIgnored()
	return nil
}

// unable says why the lab cannot run a function and what to do about it. If it can, why is "", and unable has set the
// identity's StandIn for a managed runtime.
func (l *Lab) unable(f *assembly.Function) (why, remedy string) {
	if host := arm.Host(); f.Architecture != host {
		remedy = fmt.Sprintf(": build for %s", host)
		if f.Identity.Handler != "" { // the function is from this project's app, which reads -c
			remedy += fmt.Sprintf(" (npx cdk synth -c architecture=%s)", host)
		}
		return fmt.Sprintf("built for %s, this machine is %s", f.Architecture, host), remedy
	}
	if err := api.CheckVariables(f.Environment); err != nil { // as a deployment would
		return err.Error(), ""
	}
	if !f.Managed() {
		return managedBase(f), ""
	}
	runtime, err := managed.Find(f.Runtime)
	if err != nil {
		return err.Error(), ""
	}
	f.Identity.StandIn = runtime.Label
	return "", ""
}

// warnIgnored adds a warning for each property of the functions' configuration that the lab ignores.
func (l *Lab) warnIgnored() {
	of, standIns := map[string][]string{}, map[string]string{}
	for _, f := range l.options.Functions {
		for _, property := range f.Ignored {
			of[property] = append(of[property], f.Identity.Arm)
		}
		if f.Managed() {
			standIns[f.Runtime] = f.Identity.StandIn
		} else if f.PackageType == assembly.Zip && f.Runtime != "provided.al2023" && f.Runtime != "" {
			of["Runtime "+f.Runtime] = append(of["Runtime "+f.Runtime], f.Identity.Arm)
		}
	}
	for _, property := range slices.Sorted(maps.Keys(of)) {
		l.warn("the lab ignores %s of %s", property, strings.Join(list.Few(of[property], 4), ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(standIns)) {
		l.warn("%s is a %s: the language's own build, without AWS's SDK; its files count as the base's and stay in memory",
			name, standIns[name])
	}
}

func (l *Lab) warn(format string, args ...any) {
	l.warnings = append(l.warnings, list.OneLine(fmt.Sprintf(format, args...)))
}

// Functions returns the functions that the lab runs: those of the assembly in the order of their logical IDs, and then
// those that Create has added.
func (l *Lab) Functions() []assembly.Function {
	return list.Map(l.all(), func(f *function) assembly.Function { return f.source })
}

func (l *Lab) all() []*function {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.listed)
}

// NotMeasured returns the arms that this machine cannot run, each with the reason.
func (l *Lab) NotMeasured() []arm.NotMeasured { return slices.Clone(l.notMeasured) }

// Warnings returns a line for each difference from Lambda on this machine. Show them with every figure.
func (l *Lab) Warnings() []string { return slices.Clone(l.warnings) }

// Machine describes what the figures were measured on.
func (l *Lab) Machine() Machine { return l.machine }

// ServeHTTP serves Lambda's API.
func (l *Lab) ServeHTTP(w http.ResponseWriter, r *http.Request) { l.handler.ServeHTTP(w, r) }

// Close ends every execution environment and its invocation, and removes the lab's temporary files.
func (l *Lab) Close() error {
	l.mu.Lock()
	again := l.closed
	l.closed = true
	l.mu.Unlock()
	if again {
		return nil
	}
	close(l.end)
	for _, f := range l.all() {
		f.each(func(v *function) {
			v.withdraw()
			v.mu.Lock()
			defer v.mu.Unlock()
			for e := range v.busy {
				e.life.Kill() // its invocation fails
			}
		})
	}
	l.environments.Wait()
	close(l.spares)
	for s := range l.spares {
		s.close()
	}
	l.leave()
	l.log.mu.Lock()
	defer l.log.mu.Unlock()
	return l.log.failure
}

// find returns a function by name or name:qualifier.
func (l *Lab) find(name string) (*function, error) {
	name, qualifier, _ := strings.Cut(name, ":")
	l.mu.Lock()
	defer l.mu.Unlock()
	if f, ok := l.functions[name]; ok {
		return f.version(qualifier)
	}
	known := list.Map(l.listed, func(f *function) string { return f.source.Name() })
	return nil, api.Absent("Function not found: " + name + "; the lab has " + strings.Join(known, ", "))
}

// Within runs a test binary's tests in the root file system that functions have here; see sandbox.Within. Before that,
// it builds the static Bash for the given architectures, because that build needs more of the machine than the root
// has.
func Within(run func() int, needs ...arm.Architecture) int {
	return sandbox.Within(run, func(dir string) (sandbox.Layout, error) {
		for _, a := range needs {
			// If this fails, a test that needs it reports why.
			_, _ = (&staticbash.Builder{Log: os.Stderr}).Build(context.Background(), a)
		}
		layout, err := hostBase(dir)
		layout.Folder, layout.TmpMB = filepath.Join(dir, "package"), 8<<10 // Go's tools also write there
		return layout, errors.Join(err, os.MkdirAll(layout.Folder, 0o755))
	})
}
